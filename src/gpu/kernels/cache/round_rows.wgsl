// round_rows: rounds the f32 keys and values of a chunk of rows and appends them to one layer of the cache, a
// cache of codes.
//
//   new_keys, new_values  [kv_heads, stride, KV_DEPTH4] vec4, of which the first `rows` rows of each head are new
//   table                 [layers, kv_heads] vec4u: offset, rows in use, capacity, flat offset
//   keys, values          one layer of the cache
//
// A unit of work is one group of the keys or values of one row and head. Dispatch rows * kv_heads * 2 *
// KV_GROUPS units. Concatenated after reduction_*.wgsl and kv_*.wgsl.

struct Params {
  rows: u32,
  kv_heads: u32,
  stride: u32,
  layer: u32,
}

@group(0) @binding(0) var<storage, read> new_keys: array<vec4f>;
@group(0) @binding(1) var<storage, read> new_values: array<vec4f>;
@group(0) @binding(2) var<storage, read> table: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> values: array<KvUnit>;
@group(0) @binding(5) var<uniform> params: Params;

struct Source {
  row: u32,
  is_value: bool,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let part = unit % KV_GROUPS;
  let head = unit / KV_GROUPS % params.kv_heads;
  let line = unit / KV_GROUPS / params.kv_heads;
  let row = line / 2u;
  if (row >= params.rows) {
    return;
  }
  let region = table[params.layer * params.kv_heads + head];
  let goal = region.x + region.y + row;
  let source = Source(head * params.stride + row, line % 2u == 1u);
  if (source.is_value) {
    values_store(goal, part, source, local);
  } else {
    keys_store(goal, part, source, local);
  }
}

fn new4(source: Source, d: u32) -> vec4f {
  let at = source.row * KV_DEPTH4 + d;
  if (source.is_value) {
    return new_values[at];
  }
  return new_keys[at];
}
