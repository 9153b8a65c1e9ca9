// tap_fold: reduces rows and heads of a block of probabilities to one number per key.
//
//   probabilities  [block rows, heads, keys_vec4]
//   weights        [block rows, heads] a factor per row and head
//   folded         [layers, units, keys_vec4] updated; a unit is a KV head, or all heads at once
//
// folded += scale * Σ weights * probabilities, or folded = max(folded, weights * probabilities).
// A unit of work is four keys of one unit of heads; its invocations share rows and heads. Dispatch
// `unitGroups(reduction, keys_vec4 * units)`. Follows reduction_*.wgsl.

struct Params {
  layer: u32,
  heads: u32,
  units: u32,
  keys_vec4: u32,
  first_row: u32, // of the block
  end_row: u32,
  takes_max: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> probabilities: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> folded: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = unit_index(group, local);
  let inside = index < params.keys_vec4 * params.units;
  let key = index % params.keys_vec4;
  let unit = index / params.keys_vec4;
  let heads = params.heads / params.units;
  let count = select(0u, (params.end_row - params.first_row) * heads, inside);
  var total = vec4f(0.0);
  var largest = vec4f(0.0);
  for (var i = reduction_index(local); i < count; i += REDUCTION_WIDTH) {
    let at = (params.first_row + i / heads) * params.heads + unit * heads + i % heads;
    let value = weights[at] * probabilities[at * params.keys_vec4 + key];
    total += value;
    largest = max(largest, value);
  }
  total = reduce_add4(total, local);
  largest = reduce_max4(largest, local);
  if (!inside || reduction_index(local) > 0u) {
    return;
  }
  let to = (params.layer * params.units + unit) * params.keys_vec4 + key;
  let takes_max = params.takes_max == 1u;
  folded[to] = select(folded[to] + params.scale * total, max(folded[to], largest), takes_max);
}
