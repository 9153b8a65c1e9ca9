// gemv_norm: product of four rows of a matrix and one RMS-normalised vector, in one pass over both.
// The kernel declares `weights` (array<W4>), `input` and `norm_weight` (array<vec4f>); a unit of
// work is four rows. Two steps along the depth are loaded before the first is used. Concatenated
// after gemv_rows.wgsl.

/// Products of rows `rows` of `weights` with input[first …] / rms * norm_weight, the same in every
/// invocation.
fn dot_rows_normed(rows: vec4u, depth4: u32, first: u32, epsilon: f32, local: vec3u) -> vec4f {
  let base = rows * depth4;
  var sums = vec4f();
  var squares = vec4f();
  var k = reduction_index(local);
  for (; k + REDUCTION_WIDTH < depth4; k += 2u * REDUCTION_WIDTH) {
    let near = rows_at(base, k);
    let far = rows_at(base, k + REDUCTION_WIDTH);
    let x = input[first + k];
    let y = input[first + k + REDUCTION_WIDTH];
    squares += x * x + y * y;
    sums += rows_dot(near, x * norm_weight[k]) + rows_dot(far, y * norm_weight[k + REDUCTION_WIDTH]);
  }
  if (k < depth4) {
    let x = input[first + k];
    squares += x * x;
    sums += rows_dot(rows_at(base, k), x * norm_weight[k]);
  }
  let mean = dot(reduce_add4(squares, local), vec4f(0.25)) / f32(depth4);
  return reduce_add4(sums, local) * inverseSqrt(mean + epsilon);
}
