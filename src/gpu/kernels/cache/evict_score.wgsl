// evict_score: adds the newest row's attention probabilities, averaged over the query heads of a
// group, to the scores of one layer's slots, or replaces the scores.
//
//   table      [layers, kv_heads] (offset, rows before the newest, capacity, flat offset)
//   cache      the layer's keys
//   query      [heads, KV_DEPTH4] rotated, not scaled
//   lse        [heads] natural, of the scaled scores
//   clock      [1] u32, original position of the newest row
//   scores     [flat rows] f32: all layers' regions end to end
//   positions  [flat rows] u32, original position of each slot's row
//
// The newest row is in slot `rows`: its score starts with its own probability, and its position is
// recorded. One invocation per slot and KV head. Dispatch (ceil(capacity / WORKGROUP), kv_heads).
// Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;

struct Params {
  layer: u32,
  heads: u32,
  kv_heads: u32,
  adds: u32, // 1: running sums, 0: the newest row alone
  scale: f32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<KvUnit>;
@group(0) @binding(2) var<storage, read> query: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> clock: array<u32>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;
@group(0) @binding(6) var<storage, read_write> positions: array<u32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let region = table[params.layer * params.kv_heads + gid.y];
  let slot = gid.x;
  if (slot > region.y) {
    return;
  }
  let row = kv_row(region.x + slot);
  let group = params.heads / params.kv_heads;
  var total = 0.0;
  for (var head = gid.y * group; head < (gid.y + 1u) * group; head++) {
    var score = 0.0;
    for (var d = 0u; d < KV_DEPTH4; d++) {
      score += dot(query[head * KV_DEPTH4 + d], cache_at(row, d));
    }
    total += exp(score * params.scale - lse[head]);
  }
  let at = region.w + slot;
  let is_newest = slot == region.y;
  scores[at] = total / f32(group) + select(0.0, scores[at], params.adds == 1u && !is_newest);
  if (is_newest) {
    positions[at] = clock[0];
  }
}
