// copy_keys: copies keys of one layer in f32, as the source of rerotate_keys.
//
//   lists   u32: a header [layers * heads, 4] of (first word of the entries, entries, row of the
//           region's start, 0), then the entries (slot, copy, angle)
//   keys    the layer's keys
//   copies  [copies, KV_DEPTH4] vec4
//
// One invocation per vec4 of an entry. Dispatch ceil(max entries * KV_DEPTH4 / WORKGROUP), folded, with the heads
// in z. Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(2) var<storage, read_write> copies: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = (group.y * 65535u + group.x) * WORKGROUP + local.x;
  let header = (params.layer * params.heads + group.z) * 4u;
  let entry = index / KV_DEPTH4;
  if (entry >= lists[header + 1u]) {
    return;
  }
  let words = lists[header] + entry * 3u;
  let d = index % KV_DEPTH4;
  let row = kv_row(lists[header + 2u] + lists[words]);
  copies[lists[words + 1u] * KV_DEPTH4 + d] = keys_at(row, d);
}
