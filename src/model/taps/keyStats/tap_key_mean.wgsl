// tap_key_mean: the mean over the span's rows of the unit keys of one layer.
//
//   spans      [layers, kv_heads] (row of the first key, keys, lead, 0)
//   k          the layer's keys
//   key_norms  [layers, kv_heads, keys]
//   means      [layers, kv_heads, KV_DEPTH4]
//
// A unit of work is one vec4 of one KV head. Dispatch `unitGroups(reduction, kv_heads * KV_DEPTH4)`.
// Follows kv_*.wgsl and reduction_*.wgsl.


struct Params {
  layer: u32,
  kv_heads: u32,
  keys: u32,
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> k: array<KvUnit>;
@group(0) @binding(2) var<storage, read> key_norms: array<f32>;
@group(0) @binding(3) var<storage, read_write> means: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = unit_index(group, local);
  let inside = index < params.kv_heads * KV_DEPTH4;
  let head = params.layer * params.kv_heads + index / KV_DEPTH4;
  var span = vec4u(0u);
  if (inside) {
    span = spans[head];
  }
  var sum = vec4f(0.0);
  for (var row = reduction_index(local); row < span.y; row += REDUCTION_WIDTH) {
    let length = key_norms[head * params.keys + row];
    if (length > 0.0) {
      sum += k_at(kv_row(span.x + row), index % KV_DEPTH4) / length;
    }
  }
  sum = reduce_add4(sum, local);
  if (inside && reduction_index(local) == 0u) {
    means[params.layer * params.kv_heads * KV_DEPTH4 + index] = sum / f32(max(span.y, 1u));
  }
}
