// nearest_key: for each dropped row of a layer the kept row whose key has the highest cosine with
// its own, per head; ties go to the lowest kept row.
//
//   lists    u32: a header [layers * heads, 4] of (first word of the kept rows, their number, first
//            word of the dropped rows, their number), then per (layer, head) the row of the span's
//            start; kept and dropped rows count from it
//   keys     the layer's keys
//   nearest  u32, laid out as `lists`: at the word of a dropped row, the index of its kept row in
//            the list
//
// The dropped key's length scales all its cosines equally and is omitted. An invocation compares
// BLOCK dropped rows with every kept row, so each kept key is read once per block. Dispatch
// (ceil(max dropped / (BLOCK * WORKGROUP)), heads). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 64;

const BLOCK = 4u;

struct Params {
  heads: u32,
  layer: u32,
  starts: u32, // word where the spans' starts begin
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(2) var<storage, read_write> nearest: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = params.layer * params.heads + gid.y;
  let kept = lists[head * 4u];
  let kept_count = lists[head * 4u + 1u];
  let dropped = lists[head * 4u + 2u];
  let dropped_count = lists[head * 4u + 3u];
  let start = lists[params.starts + head];
  let first = gid.x * BLOCK;
  if (first >= dropped_count) {
    return;
  }
  var rows: array<KvRow, BLOCK>;
  for (var i = 0u; i < BLOCK; i++) {
    // Beyond the end the last row is computed again; the result is not written.
    rows[i] = kv_row(start + lists[dropped + min(first + i, dropped_count - 1u)]);
  }
  var best = vec4f(-3.402823e38);
  var place = vec4u(0u);
  for (var p = 0u; p < kept_count; p++) {
    let keeper = kv_row(start + lists[kept + p]);
    var dots = vec4f(0.0);
    var norm2 = 0.0;
    for (var d = 0u; d < KV_DEPTH4; d++) {
      let key = keys_at(keeper, d);
      norm2 += dot(key, key);
      dots += vec4f(
        dot(key, keys_at(rows[0], d)),
        dot(key, keys_at(rows[1], d)),
        dot(key, keys_at(rows[2], d)),
        dot(key, keys_at(rows[3], d)),
      );
    }
    let cosines = dots / sqrt(max(norm2, 1e-30));
    let better = cosines > best;
    best = select(best, cosines, better);
    place = select(place, vec4u(p), better);
  }
  for (var i = 0u; i < BLOCK; i++) {
    if (first + i < dropped_count) {
      nearest[dropped + first + i] = place[i];
    }
  }
}
