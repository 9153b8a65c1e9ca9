// attend_scores: scores of up to 8 query heads at once, for attend_split.wgsl. Every head is written out: an array
// that a loop over the heads indexes stays in memory where a compiler guards loops and does not unroll them. GROUP is
// a constant, so what is beyond it falls away.

/// One value for each of heads 0 … 3 and 4 … 7; those beyond GROUP mean nothing.
struct Heads {
  low: vec4f,
  high: vec4f,
}

const NO_HEADS = Heads(vec4f(HIDDEN), vec4f(HIDDEN));

/// Scores of a row of the cache.
fn scores_of(row: u32) -> Heads {
  var s0 = 0.0;
  var s1 = 0.0;
  var s2 = 0.0;
  var s3 = 0.0;
  var s4 = 0.0;
  var s5 = 0.0;
  var s6 = 0.0;
  var s7 = 0.0;
  for (var d = 0u; d < RUNS; d++) {
    let run = key_run(row, d);
    for (var r = 0u; r < KV_RUN4; r++) {
      let key = kv_run4(run, r);
      let at = d * KV_RUN4 + r;
      s0 += dot(query[at], key);
      if (GROUP > 1u) { s1 += dot(query[DEPTH4 + at], key); }
      if (GROUP > 2u) { s2 += dot(query[2u * DEPTH4 + at], key); }
      if (GROUP > 3u) { s3 += dot(query[3u * DEPTH4 + at], key); }
      if (GROUP > 4u) { s4 += dot(query[4u * DEPTH4 + at], key); }
      if (GROUP > 5u) { s5 += dot(query[5u * DEPTH4 + at], key); }
      if (GROUP > 6u) { s6 += dot(query[6u * DEPTH4 + at], key); }
      if (GROUP > 7u) { s7 += dot(query[7u * DEPTH4 + at], key); }
    }
  }
  return Heads(vec4f(s0, s1, s2, s3), vec4f(s4, s5, s6, s7));
}

/// Keeps the values of a slot in `weights`.
fn keep(slot: u32, part: Heads) {
  weights[slot] = part.low.x;
  if (GROUP > 1u) { weights[MOST_SPAN + slot] = part.low.y; }
  if (GROUP > 2u) { weights[2u * MOST_SPAN + slot] = part.low.z; }
  if (GROUP > 3u) { weights[3u * MOST_SPAN + slot] = part.low.w; }
  if (GROUP > 4u) { weights[4u * MOST_SPAN + slot] = part.high.x; }
  if (GROUP > 5u) { weights[5u * MOST_SPAN + slot] = part.high.y; }
  if (GROUP > 6u) { weights[6u * MOST_SPAN + slot] = part.high.z; }
  if (GROUP > 7u) { weights[7u * MOST_SPAN + slot] = part.high.w; }
}

fn kept(slot: u32) -> Heads {
  var part = NO_HEADS;
  part.low.x = weights[slot];
  if (GROUP > 1u) { part.low.y = weights[MOST_SPAN + slot]; }
  if (GROUP > 2u) { part.low.z = weights[2u * MOST_SPAN + slot]; }
  if (GROUP > 3u) { part.low.w = weights[3u * MOST_SPAN + slot]; }
  if (GROUP > 4u) { part.high.x = weights[4u * MOST_SPAN + slot]; }
  if (GROUP > 5u) { part.high.y = weights[5u * MOST_SPAN + slot]; }
  if (GROUP > 6u) { part.high.z = weights[6u * MOST_SPAN + slot]; }
  if (GROUP > 7u) { part.high.w = weights[7u * MOST_SPAN + slot]; }
  return part;
}

fn highest(part: Heads, local: vec3u) -> Heads {
  if (GROUP <= 4u) {
    return Heads(reduce_max4(part.low, local), part.high);
  }
  return Heads(reduce_max4(part.low, local), reduce_max4(part.high, local));
}

fn total_of(part: Heads, local: vec3u) -> Heads {
  if (GROUP <= 4u) {
    return Heads(reduce_add4(part.low, local), part.high);
  }
  return Heads(reduce_add4(part.low, local), reduce_add4(part.high, local));
}

fn of_head(part: Heads, head: u32) -> f32 {
  return select(part.low, part.high, head >= 4u)[head % 4u];
}
