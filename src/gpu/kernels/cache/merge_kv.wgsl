// merge_kv: gather_kv for a layer whose kept rows are averaged with the rows that are merged into them.
//
//   lists                u32: the header of gather_kv; a list is the number of kept rows of the span, then their
//                        starts [kept + 1], words of `lists` where the rows of a kept row begin: itself, then the
//                        rows that are merged into it
//   keys, values         the layer's regions, one head after the other
//   new_keys, new_values likewise
//
// `share` is the weight of a merged row relative to the kept row in a plain mean: 1 for the mean, 1/2
// if each merged row is first averaged with its kept row (LOOK-M's pivot). A kept row with no
// merged rows is copied bit by bit. A unit of work is a part of a row; dispatch most rows * KV_GROUPS units,
// folded, with the heads in z. Concatenated after reduction_*.wgsl and kv_*.wgsl.

struct Params {
  heads: u32,
  layer: u32,
  share: f32,
}

@group(0) @binding(0) var<storage, read> lists: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(2) var<storage, read> values: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> new_keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> new_values: array<KvUnit>;
@group(0) @binding(5) var<uniform> params: Params;

/// Words of `lists` with the rows of a kept row, half-open; they count from `base`.
struct Source {
  first: u32,
  end: u32,
  base: u32,
  is_value: bool,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let header = (params.layer * params.heads + group.z) * 4u;
  let row = unit / KV_GROUPS;
  let rows = lists[header + 1u];
  if (row >= rows) {
    return;
  }
  let list = lists[header];
  let older = rows - lists[list];
  let base = lists[header + 2u] + older;
  let goal = lists[header + 3u] + row;
  let part = unit % KV_GROUPS;
  var source_row = lists[header + 2u] + row;
  if (row >= older) {
    let start = list + 1u + row - older;
    let first = lists[start];
    let end = lists[start + 1u];
    if (end > first + 1u) {
      new_keys_store(goal, part, Source(first, end, base, false), local);
      new_values_store(goal, part, Source(first, end, base, true), local);
      return;
    }
    source_row = base + lists[first];
  }
  for (var i = part + KV_GROUPS * reduction_index(local); i < KV_UNITS; i += KV_GROUPS * REDUCTION_WIDTH) {
    let at = kv_unit(source_row, i);
    let to = kv_unit(goal, i);
    new_keys[to] = keys[at];
    new_values[to] = values[at];
  }
}

fn new4(source: Source, d: u32) -> vec4f {
  var absorbed = vec4f(0.0);
  for (var i = source.first + 1u; i < source.end; i++) {
    absorbed += old4(source, lists[i], d);
  }
  let keeper = old4(source, lists[source.first], d);
  let weight = params.share / f32(source.end - source.first);
  let own = 1.0 - weight * f32(source.end - source.first - 1u);
  return own * keeper + weight * absorbed;
}

fn old4(source: Source, row: u32, d: u32) -> vec4f {
  let at = kv_row(source.base + row);
  if (source.is_value) {
    return values_at(at, d);
  }
  return keys_at(at, d);
}
