// tap_key_norms: lengths of the keys and values of one layer's span.
//
//   spans        [layers, kv_heads] (row of the first key, keys, lead, 0)
//   k, v         the layer's keys and values
//   key_norms    [layers, kv_heads, keys]  keys padded to a multiple of 4
//   value_norms  [layers, kv_heads, keys]
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
@group(0) @binding(2) var<storage, read> v: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> key_norms: array<f32>;
@group(0) @binding(4) var<storage, read_write> value_norms: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = params.layer * params.kv_heads + gid.y;
  let span = spans[head];
  if (gid.x >= span.y) {
    return;
  }
  let row = kv_row(span.x + gid.x);
  var squares = vec2f(0.0);
  for (var d = 0u; d < KV_DEPTH4; d++) {
    let key = k_at(row, d);
    let value = v_at(row, d);
    squares += vec2f(dot(key, key), dot(value, value));
  }
  key_norms[head * params.keys + gid.x] = sqrt(squares.x);
  value_norms[head * params.keys + gid.x] = sqrt(squares.y);
}
