// flash_tiled: attention of a chunk of rows over one layer of the cache, keys and values in tiles
// of shared memory. Head sizes up to 128. Concatenated after flash_io.wgsl.
//
// A workgroup of 64 owns 16 rows of one head and processes 16 keys at a time. In the first step an
// invocation scores its row (four invocations share one) against every fourth key; in the second it
// sums values at every fourth vec4 of the head. Lines of the tile are padded by one vec4, so that the
// four invocations of a row read other banks. Dispatch ceil(rows / 16) * heads workgroups, folded.
// Shared memory: 16 rows of DEPTH4 + 1 vec4, and 2 KiB; a head of 128 takes 10.25 KiB.

override DEPTH4: u32 = 32; // head size / 4, at most 4 * SUMS

const ROWS = 16u;
const KEYS = 16u;
const SUMS = 8u;
override LINE: u32 = DEPTH4 + 1u;

var<workgroup> tile: array<vec4f, KEYS * LINE>;
var<workgroup> scores: array<vec4f, ROWS * KEYS / 4u>;
var<workgroup> weights: array<vec4f, ROWS * KEYS / 4u>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = group.y * 65535u + group.x;
  let head = unit % params.heads;
  let first_row = unit / params.heads * ROWS;
  if (first_row >= params.rows) {
    return;
  }
  let region = table[params.layer * params.kv_heads + head / (params.heads / params.kv_heads)];
  let line = local.x / 4u;
  let quad = local.x % 4u;
  let row = min(first_row + line, params.rows - 1u);
  let at = ((params.first + row) * params.heads + head) * DEPTH4;
  let visible = slots_seen(region.y, row);
  let slots = slots_seen(region.y, first_row + ROWS - 1u);

  var sums: array<vec4f, SUMS>;
  var highest = HIDDEN;
  var mass = 0.0;
  for (var slot = 0u; slot < slots; slot += KEYS) {
    workgroupBarrier(); // values of the previous tile may still be read
    for (var i = local.x; i < KEYS * DEPTH4; i += 64u) {
      let source = region.x + min(slot + i / DEPTH4, slots - 1u);
      tile[i / DEPTH4 * LINE + i % DEPTH4] = kv_unpack(keys[source * DEPTH4 + i % DEPTH4]);
    }
    workgroupBarrier();
    var score = vec4f();
    let key = quad * LINE;
    for (var d = 0u; d < DEPTH4; d++) {
      let q = queries[at + d];
      score += vec4f(
        dot(q, tile[key + d]),
        dot(q, tile[key + 4u * LINE + d]),
        dot(q, tile[key + 8u * LINE + d]),
        dot(q, tile[key + 12u * LINE + d]),
      );
    }
    let mine = slot + quad + vec4u(0, 4, 8, 12);
    score = select(vec4f(HIDDEN), score * params.scale, mine < vec4u(visible));
    scores[local.x] = score;
    workgroupBarrier();
    let all = max(
      max(scores[line * 4u], scores[line * 4u + 1u]),
      max(scores[line * 4u + 2u], scores[line * 4u + 3u]),
    );
    let now = max(highest, max(max(all.x, all.y), max(all.z, all.w)));
    let decay = exp(highest - now);
    highest = now;
    weights[local.x] = exp(score - now);
    for (var i = local.x; i < KEYS * DEPTH4; i += 64u) {
      let source = region.x + min(slot + i / DEPTH4, slots - 1u);
      tile[i / DEPTH4 * LINE + i % DEPTH4] = kv_unpack(values[source * DEPTH4 + i % DEPTH4]);
    }
    workgroupBarrier();
    let w0 = weights[line * 4u];
    let w1 = weights[line * 4u + 1u];
    let w2 = weights[line * 4u + 2u];
    let w3 = weights[line * 4u + 3u];
    mass = mass * decay + dot(w0 + w1 + w2 + w3, vec4f(1.0));
    for (var i = 0u; i < SUMS; i++) {
      let d = quad + 4u * i;
      if (d < DEPTH4) {
        sums[i] = sums[i] * decay
          + quarter(w0, d) + quarter(w1, d + LINE)
          + quarter(w2, d + 2u * LINE) + quarter(w3, d + 3u * LINE);
      }
    }
  }
  if (first_row + line >= params.rows) {
    return;
  }
  for (var i = 0u; i < SUMS; i++) {
    if (quad + 4u * i < DEPTH4) {
      output[at + quad + 4u * i] = sums[i] / mass;
    }
  }
  if (quad == 0u) {
    lse[(params.first + row) * params.heads + head] = highest + log(mass);
  }
}

/// Four weights times the values of every fourth slot of the tile.
fn quarter(w: vec4f, at: u32) -> vec4f {
  return w.x * tile[at] + w.y * tile[at + 4u * LINE]
    + w.z * tile[at + 8u * LINE] + w.w * tile[at + 12u * LINE];
}
