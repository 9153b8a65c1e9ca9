// rerotate_keys: rotates copied keys by a number of positions and stores them in one layer of the
// cache. It always starts from the copies, so that a key that is rotated repeatedly is rounded once.
//
//   lists   u32: a header [layers * heads, 4] of (first word of the entries, entries, row of the
//           region's start, 0), then the entries (slot, copy, angle)
//   copies  [copies, head_dim] f32, as pairs
//   angles  [angles, KV_DEPTH4] vec4: cos, sin of element 2j, cos, sin of element 2j + 1
//   keys    the layer's keys
//
// Element i rotates with element i + head_dim / 2. A unit of work is a part of an entry. Dispatch
// max entries * KV_GROUPS units, folded, with the heads in z. Concatenated after reduction_*.wgsl and kv_*.wgsl.

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> copies: array<vec2f>;
@group(0) @binding(2) var<storage, read> angles: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> keys: array<KvUnit>;
@group(0) @binding(4) var<uniform> params: Params;

struct Source {
  copy: u32,
  angle: u32,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let header = (params.layer * params.heads + group.z) * 4u;
  let entry = unit / KV_GROUPS;
  if (entry >= lists[header + 1u]) {
    return;
  }
  let words = lists[header] + entry * 3u;
  let source = Source(lists[words + 1u], lists[words + 2u]);
  keys_store(lists[header + 2u] + lists[words], unit % KV_GROUPS, source, local);
}

fn new4(source: Source, d: u32) -> vec4f {
  return vec4f(rotated(source, 2u * d), rotated(source, 2u * d + 1u));
}

/// Pair `pair` of 2 KV_DEPTH4: of the first half of a head, or of the second.
fn rotated(source: Source, pair: u32) -> vec2f {
  let low = pair % KV_DEPTH4;
  let angle = angles[source.angle * KV_DEPTH4 + low];
  let at = source.copy * 2u * KV_DEPTH4 + low;
  let a = copies[at];
  let b = copies[at + KV_DEPTH4];
  return select(b * angle.xz + a * angle.yw, a * angle.xz - b * angle.yw, pair < KV_DEPTH4);
}
