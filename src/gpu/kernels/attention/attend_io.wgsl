// attend_io: buffers of the split attention of one row. attend_split_plain.wgsl, attend_cached.wgsl and
// attend_append.wgsl declare the others: queries, keys, values and `params`.
//
//   table          [layers, kv_heads] vec4u: offset, rows before this one, capacity, flat offset
//   partials       [splits, heads, depth4] vec4: sums of values weighted by exp(score - maximum)
//   stats          [splits, heads, 2] f32: maximum, sum of exp(score - maximum)

struct Params {
  units: u32,
  heads: u32,
  kv_heads: u32,
  depth4: u32,
  layer: u32,
  scale: f32,
  wanted: u32, // splits of a KV head
}

@group(0) @binding(3) var<storage, read> table: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;

const HIDDEN = -1e30; // below any real score, finite so that differences stay numbers
