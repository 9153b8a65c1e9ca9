// tap_key_peak: the largest absolute component of each key of one layer's span.
//
//   spans  [layers, kv_heads] (row of the first key, keys, lead, 0)
//   k      the layer's keys
//   peaks  [layers, kv_heads, padded keys]
//
// An invocation owns one key of one KV head. Dispatch (ceil(keys / WORKGROUP), kv_heads). Follows kv_*.wgsl.

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  kv_heads: u32,
  keys: u32, // padded to a multiple of 4
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> k: array<KvUnit>;
@group(0) @binding(2) var<storage, read_write> peaks: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = params.layer * params.kv_heads + gid.y;
  let span = spans[head];
  if (gid.x >= span.y) {
    return;
  }
  let row = kv_row(span.x + gid.x);
  var peak = vec4f();
  for (var d = 0u; d < KV_DEPTH4; d++) {
    peak = max(peak, abs(k_at(row, d)));
  }
  peaks[head * params.keys + gid.x] = max(max(peak.x, peak.y), max(peak.z, peak.w));
}
