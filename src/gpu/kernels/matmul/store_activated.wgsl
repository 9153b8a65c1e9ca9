// store_activated: output = activate(product + bias). The end of a matrix product; see
// matmul_registers.wgsl. Concatenated after an activation_*.wgsl.

fn weight_row(column: u32) -> u32 {
  return column;
}

/// Stores `count` neighbouring columns of a row. `column` counts within this part of the matrix.
fn store4(row: u32, column: u32, count: u32, value: vec4f) {
  let first = params.first_column + column;
  let at = row * params.output_columns + first;
  for (var i = 0u; i < count; i++) {
    output[at + i] = activate(value[i] + bias[first + i]);
  }
}
