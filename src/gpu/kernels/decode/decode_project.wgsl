// decode_project: output += weights × input + bias, for one row: a projection and its residual.
//
//   input    [depth4] vec4
//   weights  [part's rows, depth4] W
//   bias     [rows] f32
//   output   [rows] f32
//
// A unit of work is four rows. Dispatch ceil(part's rows / 4) units.

struct Params {
  rows: u32,
  depth4: u32,
  first_row: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = unit_index(group, local) * 4u;
  if (row >= params.rows) {
    return;
  }
  let rows = min(row + vec4u(0, 1, 2, 3), vec4u(params.rows - 1u));
  // What is added is loaded before the weights: its latency would follow theirs.
  let count = min(4u, params.rows - row);
  let first = params.first_row + row;
  var before = vec4f();
  for (var i = reduction_index(local); i < count; i += REDUCTION_WIDTH) {
    before[i] = output[first + i] + bias[first + i];
  }
  let product = dot_rows(rows, params.depth4, local);
  for (var i = reduction_index(local); i < count; i += REDUCTION_WIDTH) {
    output[first + i] = before[i] + product[i];
  }
}
