// merge_kv: gathers the kept rows of one layer's K or V into a smaller buffer, each averaged with
// the rows that are merged into it.
//
//   lists   u32: a header [layers * heads, 4] of (first word of the head's starts, kept rows, row of
//           the span's start in `source`, row of the first kept row in `target`); the starts
//           [kept + 1] are words of `lists` where the rows of a kept row begin: itself, then the
//           rows that are merged into it
//   source  the layer's regions before
//   target  and after
//
// `share` is the weight of a merged row relative to the kept row in a plain mean: 1 for the mean, 1/2
// if each merged row is first averaged with its kept row (LOOK-M's pivot). A kept row with no
// merged rows is copied bit by bit. Out of place, because a merged row may be on either side of its
// kept row and its original value is needed. A unit of work is a part of a kept row; dispatch max
// kept * KV_MARKS units, folded, with the heads in z. Concatenated after reduction_*.wgsl and kv_*.wgsl.

struct Params {
  heads: u32,
  layer: u32,
  share: f32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> source_rows: array<KvUnit>;
@group(0) @binding(2) var<storage, read_write> target_rows: array<KvUnit>;
@group(0) @binding(3) var<uniform> params: Params;

/// Words of `lists` with the rows of a kept row, half-open; they count from `base`.
struct Source {
  first: u32,
  end: u32,
  base: u32,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let header = (params.layer * params.heads + group.z) * 4u;
  let kept = unit / KV_MARKS;
  if (kept >= lists[header + 1u]) {
    return;
  }
  let starts = lists[header] + kept;
  let source = Source(lists[starts], lists[starts + 1u], lists[header + 2u]);
  let goal = lists[header + 3u] + kept;
  let part = unit % KV_MARKS;
  if (source.end > source.first + 1u) {
    target_rows_store(goal, part, source, local);
    return;
  }
  let keeper = source.base + lists[source.first];
  for (var i = part + KV_MARKS * reduction_index(local); i < KV_UNITS; i += KV_MARKS * REDUCTION_WIDTH) {
    target_rows[kv_unit(goal, i)] = source_rows[kv_unit(keeper, i)];
  }
}

fn new4(source: Source, d: u32) -> vec4f {
  var absorbed = vec4f(0.0);
  for (var i = source.first + 1u; i < source.end; i++) {
    absorbed += source_rows_at(kv_row(source.base + lists[i]), d);
  }
  let keeper = source_rows_at(kv_row(source.base + lists[source.first]), d);
  let weight = params.share / f32(source.end - source.first);
  let own = 1.0 - weight * f32(source.end - source.first - 1u);
  return own * keeper + weight * absorbed;
}
