// store_gated: output = SiLU(gate) * up. The end of a matrix product; see matmul_registers.wgsl.
//
// A part of the matrix holds rows of the gate, then the same number of rows of up. Columns of the
// product alternate: gate 0, up 0, gate 1, up 1, …, so an invocation holds both factors of its
// outputs. `bias` holds all of the gate's values, then all of up's.

fn weight_row(column: u32) -> u32 {
  return column / 2u + (column & 1u) * (params.columns / 2u);
}

/// Stores the `count / 2` values of neighbouring columns. `column` counts within this part.
fn store4(row: u32, column: u32, count: u32, value: vec4f) {
  let first = params.first_column + column / 2u;
  let at = row * params.output_columns + first;
  output[at] = gated(value.xy, first);
  if (count > 2u) {
    output[at + 1u] = gated(value.zw, first + 1u);
  }
}

fn gated(product: vec2f, column: u32) -> f32 {
  let gate = product.x + bias[column];
  let up = product.y + bias[params.output_columns + column];
  return gate / (1.0 + exp(-gate)) * up;
}
