// matmul_io: buffers of every matmul kernel. Concatenated after a weight format (weight_plain.wgsl) and a store_*.wgsl
// and before the kernel.
//
//   input    [rows, depth4] vec4
//   weights  [columns, depth4] W: one part of a matrix, a row per column of the product
//   bias     [all columns]
//   output   [rows, output_columns]

struct Params {
  rows: u32,
  columns: u32,
  depth4: u32,
  first_column: u32,
  output_columns: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

/// Rows and columns beyond the edge repeat the last one and are not stored.
fn weight_base(column: u32) -> u32 {
  return weight_row(min(column, params.columns - 1u)) * w_stride(params.depth4);
}

fn input_base(row: u32) -> u32 {
  return min(row, params.rows - 1u) * params.depth4;
}

fn dot4(a: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return vec4f(dot(a, w0), dot(a, w1), dot(a, w2), dot(a, w3));
}

/// Stores up to four columns of a row, unless the row is beyond the edge.
fn store_row(row: u32, column: u32, count: u32, sums: vec4f) {
  if (row < params.rows) {
    store4(row, column, count, sums);
  }
}
