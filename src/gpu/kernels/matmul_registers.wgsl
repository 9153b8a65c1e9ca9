// matmul_registers: output = input × weightsᵀ, finished by a store_*.wgsl. No barriers, no shared memory.
//
//   input    [rows, depth4] vec4
//   weights  [columns, depth4] W4: one part of a matrix, a row per column of the product
//   bias     [all columns]
//   output   [rows, output_columns]
//
// An invocation owns 6 rows by 4 columns of the product in registers: 10 vec4 loads feed 24 dot
// products. (On a software adapter loads cost most; 8 rows spill registers and are slower.)
// Dispatch ceil(rows / 6) * ceil(columns / 4) invocations, folded. Rows and columns beyond the edge
// are computed from the last one and not stored.

override WORKGROUP: u32 = 16;

struct Params {
  rows: u32,
  columns: u32,
  depth4: u32,
  first_column: u32,
  output_columns: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<W4>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn weight_base(column: u32) -> u32 {
  return weight_row(min(column, params.columns - 1u)) * params.depth4;
}

fn input_base(row: u32) -> u32 {
  return min(row, params.rows - 1u) * params.depth4;
}

fn dot4(a: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return vec4f(dot(a, w0), dot(a, w1), dot(a, w2), dot(a, w3));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let block = (group.y * 65535u + group.x) * WORKGROUP + local.x;
  let blocks_across = (params.columns + 3u) / 4u;
  let row = block / blocks_across * 6u;
  let column = block % blocks_across * 4u;
  if (row >= params.rows) {
    return;
  }
  let w0 = weight_base(column);
  let w1 = weight_base(column + 1u);
  let w2 = weight_base(column + 2u);
  let w3 = weight_base(column + 3u);
  let a0 = input_base(row);
  let a1 = input_base(row + 1u);
  let a2 = input_base(row + 2u);
  let a3 = input_base(row + 3u);
  let a4 = input_base(row + 4u);
  let a5 = input_base(row + 5u);
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  for (var k = 0u; k < params.depth4; k++) {
    let b0 = w_unpack(weights[w0 + k]);
    let b1 = w_unpack(weights[w1 + k]);
    let b2 = w_unpack(weights[w2 + k]);
    let b3 = w_unpack(weights[w3 + k]);
    s0 += dot4(input[a0 + k], b0, b1, b2, b3);
    s1 += dot4(input[a1 + k], b0, b1, b2, b3);
    s2 += dot4(input[a2 + k], b0, b1, b2, b3);
    s3 += dot4(input[a3 + k], b0, b1, b2, b3);
    s4 += dot4(input[a4 + k], b0, b1, b2, b3);
    s5 += dot4(input[a5 + k], b0, b1, b2, b3);
  }
  let count = min(4u, params.columns - column);
  store4(row, column, count, s0);
  if (row + 1u < params.rows) {
    store4(row + 1u, column, count, s1);
  }
  if (row + 2u < params.rows) {
    store4(row + 2u, column, count, s2);
  }
  if (row + 3u < params.rows) {
    store4(row + 3u, column, count, s3);
  }
  if (row + 4u < params.rows) {
    store4(row + 4u, column, count, s4);
  }
  if (row + 5u < params.rows) {
    store4(row + 5u, column, count, s5);
  }
}
