// store_residual: output += product + bias. The end of a matrix product; see matmul_registers.wgsl.

fn weight_row(column: u32) -> u32 {
  return column;
}

/// Adds `count` neighbouring columns of a row. `column` counts within this part of the matrix.
fn store4(row: u32, column: u32, count: u32, value: vec4f) {
  let first = params.first_column + column;
  let at = row * params.output_columns + first;
  output[at] += value.x + bias[first];
  if (count > 1u) {
    output[at + 1u] += value.y + bias[first + 1u];
  }
  if (count > 2u) {
    output[at + 2u] += value.z + bias[first + 2u];
  }
  if (count > 3u) {
    output[at + 3u] += value.w + bias[first + 3u];
  }
}
