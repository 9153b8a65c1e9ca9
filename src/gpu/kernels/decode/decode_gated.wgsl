// decode_gated: output = SiLU(gate × n + bias) * (up × n + bias) with n the normed input, for one row.
//
//   input        [depth4] vec4, the residual stream
//   norm_weight  [depth4] vec4 of the norm
//   weights      [2, part's rows, depth4] W: the gate's rows, then up's
//   bias         [2, rows] f32: the gate's, then up's
//   output       [rows] f32
//
// A unit of work is four stored rows: two of the gate and two of up. Dispatch ceil(part's rows / 2)
// units.

struct Params {
  part_rows: u32,
  depth4: u32,
  first_row: u32,
  rows: u32, // of all parts
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> norm_weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<W>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = unit_index(group, local) * 2u;
  if (row >= params.part_rows) {
    return;
  }
  let next = min(row + 1u, params.part_rows - 1u);
  let rows = vec4u(row, params.part_rows + row, next, params.part_rows + next);
  let at = params.first_row + vec2u(row, next);
  let biases = vec4f(
    bias[at.x],
    bias[params.rows + at.x],
    bias[at.y],
    bias[params.rows + at.y],
  );
  let product = dot_rows_normed(rows, params.depth4, 0u, params.epsilon, local) + biases;
  if (reduction_index(local) > 0u) {
    return;
  }
  let gated = product.xz / (1.0 + exp(-product.xz)) * product.yw;
  output[at.x] = gated.x;
  output[at.y] = gated.y;
}
