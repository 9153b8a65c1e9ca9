// layer_norm: output[row] = (input[row] - mean) / sqrt(variance + epsilon) * weight + bias. Layer
// normalization: https://arxiv.org/abs/1607.06450.
//
//   input   [rows, width4] vec4
//   weight  [width4] vec4
//   bias    [width4] vec4
//   output  [rows, width4] vec4
//
// The variance is the mean of squared differences, in a second pass over the row: the difference of
// sums of squares loses precision if the mean is large. A unit of work is a row. Dispatch `rows`
// units.

struct Params {
  rows: u32,
  width4: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = unit_index(group, local);
  if (row >= params.rows) {
    return;
  }
  let first = row * params.width4;
  var sums = vec4f();
  for (var k = reduction_index(local); k < params.width4; k += REDUCTION_WIDTH) {
    sums += input[first + k];
  }
  let mean = dot(reduce_add4(sums, local), vec4f(0.25)) / f32(params.width4);
  var squares = vec4f();
  for (var k = reduction_index(local); k < params.width4; k += REDUCTION_WIDTH) {
    let difference = input[first + k] - mean;
    squares += difference * difference;
  }
  let variance = dot(reduce_add4(squares, local), vec4f(0.25)) / f32(params.width4);
  let scale = inverseSqrt(variance + params.epsilon);
  for (var k = reduction_index(local); k < params.width4; k += REDUCTION_WIDTH) {
    output[first + k] = (input[first + k] - mean) * scale * weight[k] + bias[k];
  }
}
