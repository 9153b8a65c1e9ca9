// rerotate_keys: rotates copied keys by a number of positions and stores them in one layer of the
// cache. It always starts from the copies, so that a key that is rotated repeatedly is rounded once.
//
//   lists   u32: a header [layers * heads, 4] of (first word of the entries, entries, row of the
//           region's start, 0), then the entries (slot, copy, angle)
//   copies  [copies, head_dim] f32, as pairs
//   angles  [angles, head_dim / 4] vec4: cos, sin of element 2j, cos, sin of element 2j + 1
//   keys    [rows, head_dim] as pairs
//
// Element i rotates with element i + head_dim / 2; an invocation owns two such pairs of an entry.
// Dispatch (ceil(max entries * HALF_PAIRS / WORKGROUP), heads). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;
override HALF_PAIRS: u32; // head_dim / 4

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> copies: array<vec2f>;
@group(0) @binding(2) var<storage, read> angles: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> keys: array<Kv2>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let header = (params.layer * params.heads + gid.y) * 4u;
  let entry = gid.x / HALF_PAIRS;
  if (entry >= lists[header + 1u]) {
    return;
  }
  let words = lists[header] + entry * 3u;
  let pair = gid.x % HALF_PAIRS;
  let source = lists[words + 1u] * 2u * HALF_PAIRS + pair;
  let low = copies[source];
  let high = copies[source + HALF_PAIRS];
  let angle = angles[lists[words + 2u] * HALF_PAIRS + pair];
  let goal = (lists[header + 2u] + lists[words]) * 2u * HALF_PAIRS + pair;
  keys[goal] = kv_pack2(low * angle.xz - high * angle.yw);
  keys[goal + HALF_PAIRS] = kv_pack2(high * angle.xz + low * angle.yw);
}
