// reorder_kv: permutes the slots of one layer's K or V in place.
//
//   lists  u32: a header [layers * heads, 4] of (first word of the cycles, words, row of the region's
//          start, 0), then per head its cycles: a length and that many slots; each slot of a cycle
//          receives the row of the next, the last one that of the first
//   cache  the layer's regions, one head after the other
//
// An invocation owns one (head, unit of a row), so one register holds the first value that a cycle
// overwrites. Dispatch ceil(heads * KV_UNITS / WORKGROUP). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read_write> cache: array<KvUnit>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = gid.x / KV_UNITS;
  if (head >= params.heads) {
    return;
  }
  let header = (params.layer * params.heads + head) * 4u;
  let unit = gid.x % KV_UNITS;
  let start = lists[header + 2u];
  let end = lists[header] + lists[header + 1u];
  for (var cycle = lists[header]; cycle < end; cycle += lists[cycle] + 1u) {
    let last = cycle + lists[cycle];
    var slot = kv_unit(start + lists[cycle + 1u], unit);
    let first_row = cache[slot];
    for (var i = cycle + 2u; i <= last; i++) {
      let next = kv_unit(start + lists[i], unit);
      cache[slot] = cache[next];
      slot = next;
    }
    cache[slot] = first_row;
  }
}
