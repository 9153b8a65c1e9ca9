// step_attention: attention of one decoding step to the watched rows of one layer, one byte per
// row.
//
//   table   [layers, kv_heads] (offset, rows before the newest, capacity, flat offset)
//   cache   the layer's keys
//   query   [heads, KV_DEPTH4] rotated, not scaled
//   lse     [heads] natural, of the scaled scores
//   clock   [2] u32: number of this step, original position of the row that it appends
//   places  [layers, kv_heads, columns] (slot of the column's row, step in which it is there or ALWAYS)
//   cells   [steps, layers, ceil(columns / 4)] four bytes to a word, zero before
//
// A column is a watched row. Its probability p is the mean over all query heads, with 0 for heads
// that do not hold the row. It is stored as round(255 sqrt(p)), which resolves small values. Each
// byte is written once, so a bitwise OR into its word is sufficient. One invocation per column.
// Dispatch ceil(columns / WORKGROUP). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;

const ALWAYS = 0xffffffffu;

struct Params {
  layer: u32,
  layers: u32,
  heads: u32,
  kv_heads: u32,
  columns: u32,
  steps: u32, // later ones are not recorded
  scale: f32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<KvUnit>;
@group(0) @binding(2) var<storage, read> query: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> clock: array<u32>;
@group(0) @binding(5) var<storage, read> places: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> cells: array<atomic<u32>>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let column = gid.x;
  let step = clock[0];
  if (column >= params.columns || step >= params.steps) {
    return;
  }
  var total = 0.0;
  for (var head = 0u; head < params.kv_heads; head++) {
    let unit = params.layer * params.kv_heads + head;
    let place = places[unit * params.columns + column];
    if (place.y == ALWAYS || place.y == step) {
      total += group_attention(head, table[unit].x + place.x);
    }
  }
  let mean = clamp(total / f32(params.heads), 0.0, 1.0);
  let byte = min(u32(round(255.0 * sqrt(mean))), 255u);
  let words = (params.columns + 3u) / 4u;
  let word = (step * params.layers + params.layer) * words + column / 4u;
  atomicOr(&cells[word], byte << (8u * (column % 4u)));
}

/// Probabilities of one row, summed over the query heads of a KV head.
fn group_attention(kv_head: u32, row: u32) -> f32 {
  let group = params.heads / params.kv_heads;
  let key = kv_row(row);
  var total = 0.0;
  for (var head = kv_head * group; head < (kv_head + 1u) * group; head++) {
    var score = 0.0;
    for (var d = 0u; d < KV_DEPTH4; d++) {
      score += dot(query[head * KV_DEPTH4 + d], cache_at(key, d));
    }
    total += exp(score * params.scale - lse[head]);
  }
  return total;
}
