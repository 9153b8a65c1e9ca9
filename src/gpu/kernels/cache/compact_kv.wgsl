// compact_kv: moves the kept rows of one layer's K or V to the front of their region, in place.
//
//   lists  u32: a header [layers * heads, 4] of (first word of the list, its length, row of the
//          span's start, first entry that moves), then the lists: kept rows of the span, ascending
//   cache  [rows, ROW_VEC4] the layer's regions, one head after the other
//
// An invocation owns one (head, vec4 column) and copies the kept rows in ascending order. Entry i
// comes from row lists[i] >= i, so a write never overwrites a row that is still to be read, and no
// other invocation accesses the column: no barrier and no second buffer are needed. STEP rows are
// copied at a time: all of them are read before the first is written, and every later read is above
// the rows written so far. Dispatch ceil(heads * ROW_VEC4 / WORKGROUP). Concatenated after
// kv_*.wgsl.

override WORKGROUP: u32 = 64;
override ROW_VEC4: u32;

const STEP = 8u;

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
  let list = lists[header];
  let count = lists[header + 1u];
  let column = lists[header + 2u] * ROW_VEC4 + gid.x % ROW_VEC4;

  for (var first = lists[header + 3u]; first < count; first += STEP) {
    var rows: array<Kv4, STEP>;
    for (var i = 0u; i < STEP; i++) {
      if (first + i < count) {
        rows[i] = cache[column + lists[list + first + i] * ROW_VEC4];
      }
    }
    for (var i = 0u; i < STEP; i++) {
      if (first + i < count) {
        cache[column + (first + i) * ROW_VEC4] = rows[i];
      }
    }
  }
}
