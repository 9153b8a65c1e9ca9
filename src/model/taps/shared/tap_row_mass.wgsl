// tap_row_mass: the factor that rescales each row of a block of probabilities to mass 1 over some
// keys.
//
//   probabilities  [block rows, heads, keys_vec4]
//   counted        [units, keys_vec4] weight of each key; a unit is a KV head, or all heads at once
//   gates          [units, tail rows] rows with 0 are skipped
//   factors        [block rows, heads] gate / Σ counted * probability, 0 where that sum is 0
//
// A unit of work is one (row, head). Dispatch `unitGroups(reduction, rows * heads)`. Follows
// reduction_*.wgsl.

struct Params {
  heads: u32,
  units: u32,
  keys_vec4: u32,
  rows: u32,
  tail_row: u32, // of the block's first row
  tail_rows: u32,
}

@group(0) @binding(0) var<storage, read> probabilities: array<vec4f>;
@group(0) @binding(1) var<storage, read> counted: array<vec4f>;
@group(0) @binding(2) var<storage, read> gates: array<f32>;
@group(0) @binding(3) var<storage, read_write> factors: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = unit_index(group, local);
  let inside = index < params.rows * params.heads;
  let row = index / params.heads;
  let unit = (index % params.heads) / (params.heads / params.units);

  var gate = 0.0;
  if (inside) {
    gate = gates[unit * params.tail_rows + params.tail_row + row];
  }
  var mass = vec4f(0.0);
  if (gate > 0.0) {
    for (var key = reduction_index(local); key < params.keys_vec4; key += REDUCTION_WIDTH) {
      mass += counted[unit * params.keys_vec4 + key] * probabilities[index * params.keys_vec4 + key];
    }
  }
  let total = dot(reduce_add4(mass, local), vec4f(1.0));
  if (inside && reduction_index(local) == 0u) {
    factors[index] = select(0.0, gate / total, total > 0.0);
  }
}
