// flash_rows: four rows of flash_tiled.wgsl that an invocation owns: online softmax, and the end.

struct Rows {
  scores: mat4x4f, // a column per row
  highest: vec4f,
  mass: vec4f,
  sums: array<mat4x4f, 2>, // per COLUMNS, a column per row
}

/// Hides the keys that a row does not see.
fn mask(chunk: Chunk, rows: ptr<function, Rows>, before: u32, row: u32, key: u32) {
  let keys_of = key + vec4u(0, 1, 2, 3);
  for (var i = 0u; i < 4u; i++) {
    let visible = keys_of < vec4u(visible_slots(before, row + i, chunk.rows));
    rows.scores[i] = select(vec4f(HIDDEN), rows.scores[i], visible);
  }
}

/// The highest score of each row.
fn highest_of(scores: mat4x4f) -> vec4f {
  let turned = transpose(scores);
  return max(max(turned[0], turned[1]), max(turned[2], turned[3]));
}

/// Turns scores into weights relative to the highest score so far, and scales the sums to match.
fn weigh(rows: ptr<function, Rows>, line: u32) {
  var now = rows.highest;
  for (var i = 0u; i < 16u; i++) {
    now = max(now, front[i * LINES + line]);
  }
  let decay = exp(rows.highest - now);
  rows.highest = now;
  for (var i = 0u; i < 4u; i++) {
    rows.scores[i] = exp(rows.scores[i] - now[i]);
    rows.mass[i] = rows.mass[i] * decay[i] + dot(rows.scores[i], vec4f(1.0));
    for (var c = 0u; c < COLUMNS; c++) {
      rows.sums[c][i] *= decay[i];
    }
  }
}

fn store(chunk: Chunk, rows: Rows, head: u32, row: u32, line: u32, tx: u32) {
  var mass = vec4f();
  for (var i = 0u; i < 16u; i++) {
    mass += front[i * LINES + line];
  }
  for (var i = 0u; i < 4u && row + i < chunk.rows; i++) {
    let at = (chunk.first + row + i) * params.heads + head;
    for (var c = 0u; c < COLUMNS; c++) {
      if (tx + 16u * c < DEPTH4) {
        output[at * DEPTH4 + tx + 16u * c] = rows.sums[c][i] / mass[i];
      }
    }
    if (tx == 0u) {
      lse[at] = rows.highest[i] + log(mass[i]);
    }
  }
}
