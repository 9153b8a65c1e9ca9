// copy_keys: copies keys of one layer in f32, as the source of rerotate_keys.
//
//   lists   u32: a header [layers * heads, 4] of (first word of the entries, entries, row of the
//           region's start, 0), then the entries (slot, copy, angle)
//   keys    [rows, head_dim] as pairs
//   copies  [copies, head_dim] f32, as pairs
//
// One invocation per pair of an entry. Dispatch (ceil(max entries * PAIRS / WORKGROUP), heads).
// Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;
override PAIRS: u32; // head_dim / 2

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<Kv2>;
@group(0) @binding(2) var<storage, read_write> copies: array<vec2f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let header = (params.layer * params.heads + gid.y) * 4u;
  let entry = gid.x / PAIRS;
  if (entry >= lists[header + 1u]) {
    return;
  }
  let words = lists[header] + entry * 3u;
  let pair = gid.x % PAIRS;
  let row = lists[header + 2u] + lists[words];
  copies[lists[words + 1u] * PAIRS + pair] = kv_unpack2(keys[row * PAIRS + pair]);
}
