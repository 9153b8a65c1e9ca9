// reorder_kv: permutes the slots of one layer's K or V in place.
//
//   lists  u32: a header [layers * heads, 4] of (first word of the cycles, words, row of the region's
//          start, 0), then per head its cycles: a length and that many slots; each slot of a cycle
//          receives the row of the next, the last one that of the first
//   cache  [rows, ROW_VEC4] the layer's regions, one head after the other
//
// An invocation owns one (head, vec4 column), so one register holds the first value that a cycle
// overwrites. Dispatch ceil(heads * ROW_VEC4 / WORKGROUP). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;
override ROW_VEC4: u32;

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read_write> cache: array<Kv4>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = gid.x / ROW_VEC4;
  if (head >= params.heads) {
    return;
  }
  let header = (params.layer * params.heads + head) * 4u;
  let column = lists[header + 2u] * ROW_VEC4 + gid.x % ROW_VEC4;
  let end = lists[header] + lists[header + 1u];
  for (var cycle = lists[header]; cycle < end; cycle += lists[cycle] + 1u) {
    let last = cycle + lists[cycle];
    var slot = column + lists[cycle + 1u] * ROW_VEC4;
    let first_row = cache[slot];
    for (var i = cycle + 2u; i <= last; i++) {
      let next = column + lists[i] * ROW_VEC4;
      cache[slot] = cache[next];
      slot = next;
    }
    cache[slot] = first_row;
  }
}
