// rms_norm: output[row] = input[row] / rms(input[row]) * weight.
//
//   input   [rows, width4] vec4
//   weight  [width4] vec4
//   output  [rows, width4] vec4
//
// A unit of work is a row. Dispatch `rows` units (see reduction_one.wgsl).

struct Params {
  rows: u32,
  width4: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = unit_index(group, local);
  if (row >= params.rows) {
    return;
  }
  let first = row * params.width4;
  var squares = vec4f();
  for (var k = reduction_index(local); k < params.width4; k += REDUCTION_WIDTH) {
    let value = input[first + k];
    squares += value * value;
  }
  let mean = dot(reduce_add4(squares, local), vec4f(0.25)) / f32(params.width4);
  let scale = inverseSqrt(mean + params.epsilon);
  for (var k = reduction_index(local); k < params.width4; k += REDUCTION_WIDTH) {
    output[first + k] = input[first + k] * scale * weight[k];
  }
}
