// gather_kv: copies the kept rows of one layer's keys and values into new buffers.
//
//   lists                u32: a header [layers * heads, 4] of (first word of the list, rows after the
//                        plan, first row of the region in the source, and in the target); a list is
//                        its length, then the kept rows of the span, ascending
//   keys, values         the layer's regions, one head after the other
//   new_keys, new_values likewise
//
// Rows before the span keep their places. An invocation owns one unit of one row. Dispatch
// ceil(most rows * KV_UNITS / WORKGROUP), folded, with the heads in z. Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(2) var<storage, read> values: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> new_keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> new_values: array<KvUnit>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = (group.y * 65535u + group.x) * WORKGROUP + local.x;
  let header = (params.layer * params.heads + group.z) * 4u;
  let row = index / KV_UNITS;
  let rows = lists[header + 1u];
  if (row >= rows) {
    return;
  }
  let list = lists[header];
  let older = rows - lists[list];
  var source = row;
  if (row >= older) {
    source = older + lists[list + 1u + row - older];
  }
  let unit = index % KV_UNITS;
  let at = kv_unit(lists[header + 2u] + source, unit);
  let to = kv_unit(lists[header + 3u] + row, unit);
  new_keys[to] = keys[at];
  new_values[to] = values[at];
}
