// tap_key_cosine: cosine of each key of one layer with the mean unit key of its head.
//
//   spans      [layers, kv_heads] (row of the first key, keys, lead, 0)
//   k          the layer's keys
//   key_norms  [layers, kv_heads, keys]  keys padded to a multiple of 4
//   means      [layers, kv_heads, KV_DEPTH4]
//   cosines    [layers, kv_heads, keys]
//
// One invocation per row and KV head. Dispatch (ceil(keys / WORKGROUP), kv_heads). Follows kv_*.wgsl.

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  kv_heads: u32,
  keys: u32,
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> k: array<KvUnit>;
@group(0) @binding(2) var<storage, read> key_norms: array<f32>;
@group(0) @binding(3) var<storage, read> means: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> cosines: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = params.layer * params.kv_heads + gid.y;
  let span = spans[head];
  if (gid.x >= span.y) {
    return;
  }
  let row = kv_row(span.x + gid.x);
  var product = 0.0;
  var mean_square = 0.0;
  for (var d = 0u; d < KV_DEPTH4; d++) {
    let mean = means[head * KV_DEPTH4 + d];
    product += dot(k_at(row, d), mean);
    mean_square += dot(mean, mean);
  }
  let lengths = key_norms[head * params.keys + gid.x] * sqrt(mean_square);
  cosines[head * params.keys + gid.x] = select(0.0, product / lengths, lengths > 0.0);
}
