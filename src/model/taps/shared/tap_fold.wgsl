// tap_fold: reduces rows and heads of a tile of probabilities to one number per key.
//
//   probabilities  [tile rows, heads, keys_vec4]
//   weights        [tile rows, heads] a factor per row and head
//   folded         [layers, units, keys_vec4] updated; a unit is a KV head, or all heads at once
//
// folded += scale * Σ weights * probabilities, or folded = max(folded, weights * probabilities).
// One invocation reduces four keys of one unit. Dispatch (ceil(keys_vec4 / WORKGROUP), units).

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  heads: u32,
  units: u32,
  keys_vec4: u32,
  first_row: u32, // of the tile
  end_row: u32,
  takes_max: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> probabilities: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> folded: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.keys_vec4) {
    return;
  }
  let group = params.heads / params.units;
  var total = vec4f(0.0);
  var largest = vec4f(0.0);
  for (var row = params.first_row; row < params.end_row; row++) {
    for (var head = gid.y * group; head < (gid.y + 1u) * group; head++) {
      let at = row * params.heads + head;
      let value = weights[at] * probabilities[at * params.keys_vec4 + gid.x];
      total += value;
      largest = max(largest, value);
    }
  }
  let key = (params.layer * params.units + gid.y) * params.keys_vec4 + gid.x;
  folded[key] = select(folded[key] + params.scale * total, max(folded[key], largest), params.takes_max == 1u);
}
