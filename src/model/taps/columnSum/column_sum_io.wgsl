// column_sum_io: what every column-sum kernel does: it adds the attention of one chunk's queries to each
// key's column sum, averaged over the query heads of a group. A second pass over q · k with the log-sum-exp
// that attention stored: an online softmax knows it after the last key only, and by then a key's sum over
// rows holds a factor of every row. Concatenated after kv_*.wgsl and before the kernel.
// Query row q has the weight factor * 2^(log2_decay * (last_row - q)), which is 1 for plain sums.
//
//   spans    [layers, kv_heads] (row of the first key, keys, lead, 0): query row r sees keys <= lead + r
//   cache    the layer's keys
//   queries  [rows, heads, KV_DEPTH4] rotated, not scaled
//   lse      [rows, heads] natural, of the scaled scores
//   sums     [layers, splits, kv_heads, ceil(keys / 4)] added to
//
// Each split of the work writes its own plane of `sums`, so no synchronisation is needed; `tap_sum_planes`
// adds the planes.


struct Params {
  layer: u32,
  heads: u32,
  kv_heads: u32,
  first_row: u32,
  rows: u32,
  keys: u32,
  splits: u32,
  scale: f32,
  last_row: u32,
  log2_decay: f32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<KvUnit>;
@group(0) @binding(2) var<storage, read> queries: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

/// Weights of the chunk's rows.
fn weights(rows: vec4f) -> vec4f {
  let age = f32(params.last_row) - f32(params.first_row) - rows;
  return params.factor * exp2(params.log2_decay * max(age, vec4f()));
}
