// gather_rows: output[row] = the rows `indices[row, 0]`, `indices[row, 1]`, … of the input, side by
// side. One part per row looks up position embeddings; s² parts fold s × s patches into one row
// (pixel shuffle).
//
//   input    [input rows, width4] vec4
//   indices  [rows, parts] u32
//   output   [rows, parts, width4] vec4
//
// An invocation copies one vec4. Dispatch ceil(rows * parts * width4 / 64) workgroups, folded.

struct Params {
  rows: u32,
  parts: u32,
  width4: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = (group.y * 65535u + group.x) * 64u + local.x;
  if (at >= params.rows * params.parts * params.width4) {
    return;
  }
  output[at] = input[indices[at / params.width4] * params.width4 + at % params.width4];
}
