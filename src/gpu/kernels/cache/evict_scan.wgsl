// evict_scan: candidates for eviction. PARTS invocations share the slots of a head, and each finds
// its lowest score; evict_move takes the lowest of those.
//
//   table       [layers, kv_heads] (offset, rows, capacity, flat offset)
//   orders      [layers, kv_heads, 2] (slots in use, victim or LOWEST, first governed slot, 0),
//               (rows with a smaller position are exempt, rows from this position on are exempt, 0, 0)
//   scores      [flat rows] f32
//   positions   [flat rows] u32
//   candidates  [layers, kv_heads, PARTS] (bits of the score, slot)
//
// With `shared_rows`, all heads of the layer hold the same rows; a slot's score is the sum over the
// heads, and every head gets the same candidates. Ties go to the lowest slot. Dispatch (1, layers *
// kv_heads).

const PARTS = 64u;
const LOWEST = 0xffffffffu;
const NONE = 3.4e38;

struct Params {
  kv_heads: u32,
  shared_rows: u32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4u>;
@group(0) @binding(1) var<storage, read> orders: array<vec4u>;
@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> candidates: array<vec2u>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(PARTS)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = gid.y;
  let order = orders[2u * head];
  let exempt = orders[2u * head + 1u];
  if (order.x == 0u || order.y != LOWEST) {
    return;
  }
  let shares = params.shared_rows == 1u;
  let first_head = select(head, head - head % params.kv_heads, shares);
  let head_count = select(1u, params.kv_heads, shares);
  var best = NONE;
  var victim = order.x - 1u;
  for (var slot = order.z + gid.x; slot < order.x; slot += PARTS) {
    let position = positions[table[head].w + slot];
    if (position < exempt.x || position >= exempt.y) {
      continue;
    }
    var score = 0.0;
    for (var i = 0u; i < head_count; i++) {
      score += scores[table[first_head + i].w + slot];
    }
    if (score < best) {
      best = score;
      victim = slot;
    }
  }
  candidates[head * PARTS + gid.x] = vec2u(bitcast<u32>(best), victim);
}
