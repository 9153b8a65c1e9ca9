// store_scaled: output += (product + bias) * scale, element by element (layer scale:
// https://arxiv.org/abs/2103.17239, eq. 10). The end of a matrix product; see matmul_registers.wgsl. `bias`
// holds all biases, then all scales.

fn weight_row(column: u32) -> u32 {
  return column;
}

/// Adds `count` neighbouring columns of a row. `column` counts within this part of the matrix.
fn store4(row: u32, column: u32, count: u32, value: vec4f) {
  let first = params.first_column + column;
  let at = row * params.output_columns + first;
  for (var i = 0u; i < count; i++) {
    output[at + i] += (value[i] + bias[first + i]) * bias[params.output_columns + first + i];
  }
}
