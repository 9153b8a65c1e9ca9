// step_attention_locate: the slots of the watched rows in this step, for rules that move rows
// between slots.
//
//   table      [layers, kv_heads] (offset, rows before the newest, capacity, flat offset)
//   clock      [2] u32: number of this step, original position of the row that it appends
//   columns    [known] column of each original position, or NONE
//   positions  [flat rows] u32, original position of each slot's row: all layers' regions end to end
//   places     [layers, kv_heads, watched] (slot, step): see step_attention.wgsl
//
// A row that is found gets the step as its stamp; an evicted row keeps an older stamp. The newest
// row is in slot `rows`, and its position is recorded. One invocation per slot and KV head of all
// layers. Dispatch (ceil(capacity / WORKGROUP), layers * kv_heads).

override WORKGROUP: u32 = 64;

const NONE = 0xffffffffu;

struct Params {
  known: u32,
  watched: u32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4u>;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read> columns: array<u32>;
@group(0) @binding(3) var<storage, read_write> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> places: array<vec2u>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let region = table[gid.y];
  let slot = gid.x;
  if (slot > region.y) {
    return;
  }
  if (slot == region.y) {
    positions[region.w + slot] = clock[1];
    return;
  }
  let position = positions[region.w + slot];
  if (position >= params.known || columns[position] == NONE) {
    return;
  }
  places[gid.y * params.watched + columns[position]] = vec2u(slot, clock[0]);
}
