// merge_kv: gathers the kept rows of one layer's K or V into a smaller buffer, each averaged with
// the rows that are merged into it.
//
//   lists   u32: a header [layers * heads, 4] of (first word of the head's starts, kept rows, row of
//           the span's start in `source`, row of the first kept row in `target`); the starts
//           [kept + 1] are words of `lists` where the rows of a kept row begin: itself, then the
//           rows that are merged into it
//   source  [rows, ROW_VEC4] the layer's regions before
//   target  [rows, ROW_VEC4] and after
//
// `share` is the weight of a merged row relative to the kept row in a plain mean: 1 for the mean, 1/2
// if each merged row is first averaged with its kept row (LOOK-M's pivot). A kept row with no
// merged rows is copied bit by bit. Out of place, because a merged row may be on either side of its
// kept row and its original value is needed. One invocation computes one vec4; dispatch (ceil(max
// kept * ROW_VEC4 / WORKGROUP), heads). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;
override ROW_VEC4: u32;

struct Params {
  heads: u32,
  layer: u32,
  share: f32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> source: array<Kv4>;
@group(0) @binding(2) var<storage, read_write> target_rows: array<Kv4>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let header = (params.layer * params.heads + gid.y) * 4u;
  let kept = gid.x / ROW_VEC4;
  if (kept >= lists[header + 1u]) {
    return;
  }
  let d = gid.x % ROW_VEC4;
  let starts = lists[header] + kept;
  let first = lists[starts];
  let end = lists[starts + 1u];
  let column = lists[header + 2u] * ROW_VEC4 + d;
  let target_index = (lists[header + 3u] + kept) * ROW_VEC4 + d;

  let keeper = source[column + lists[first] * ROW_VEC4];
  if (end == first + 1u) {
    target_rows[target_index] = keeper;
    return;
  }
  var absorbed = vec4f(0.0);
  for (var i = first + 1u; i < end; i++) {
    absorbed += kv_unpack(source[column + lists[i] * ROW_VEC4]);
  }
  let weight = params.share / f32(end - first);
  let own = 1.0 - weight * f32(end - first - 1u);
  target_rows[target_index] = kv_pack(own * kv_unpack(keeper) + weight * absorbed);
}
