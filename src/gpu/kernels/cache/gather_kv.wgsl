// gather_kv: copies the kept rows of one layer's keys and values into new buffers.
//
//   lists                u32: a header [layers * heads, 4] of (first word of the list, rows after the
//                        plan, first row of the region in the source, and in the target); a list is
//                        its length, then the kept rows of the span, ascending
//   keys, values         [rows, ROW_VEC4] the layer's regions, one head after the other
//   new_keys, new_values likewise
//
// Rows before the span keep their places. An invocation owns one vec4 of one row. Dispatch
// (ceil(most rows * ROW_VEC4 / WORKGROUP), heads). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;
override ROW_VEC4: u32;

struct Params {
  heads: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<Kv4>;
@group(0) @binding(2) var<storage, read> values: array<Kv4>;
@group(0) @binding(3) var<storage, read_write> new_keys: array<Kv4>;
@group(0) @binding(4) var<storage, read_write> new_values: array<Kv4>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let header = (params.layer * params.heads + gid.y) * 4u;
  let row = gid.x / ROW_VEC4;
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
  let at = (lists[header + 2u] + source) * ROW_VEC4 + gid.x % ROW_VEC4;
  let to = (lists[header + 3u] + row) * ROW_VEC4 + gid.x % ROW_VEC4;
  new_keys[to] = keys[at];
  new_values[to] = values[at];
}
