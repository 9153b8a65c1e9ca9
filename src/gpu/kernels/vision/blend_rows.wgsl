// blend_rows: output[row] = the sum over `parts` of weights[row, part] * input[indices[row, part]]. One
// part arranges rows; four interpolate bilinearly between them.
//
//   input    [input rows, width4] vec4
//   indices  [rows, parts] u32
//   weights  [rows, parts] f32
//   output   [rows, width4] vec4
//
// An invocation computes one vec4. Dispatch ceil(rows * width4 / 64) workgroups, folded.

struct Params {
  rows: u32,
  parts: u32,
  width4: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = (group.y * 65535u + group.x) * 64u + local.x;
  if (at >= params.rows * params.width4) {
    return;
  }
  let first = at / params.width4 * params.parts;
  var sum = vec4f();
  for (var part = first; part < first + params.parts; part++) {
    sum += weights[part] * input[indices[part] * params.width4 + at % params.width4];
  }
  output[at] = sum;
}
