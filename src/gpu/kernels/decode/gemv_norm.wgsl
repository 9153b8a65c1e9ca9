// gemv_norm: product of four rows of a matrix and one RMS-normalised vector, in one pass over both.
// The kernel declares `weights` (array<W4>), `input` and `norm_weight` (array<vec4f>); a unit of
// work is four rows.

/// Products of rows `rows` of `weights` with input[first …] / rms * norm_weight, the same in every
/// invocation.
fn dot_rows_normed(rows: vec4u, depth4: u32, first: u32, epsilon: f32, local: vec3u) -> vec4f {
  let base = rows * depth4;
  var sums = vec4f();
  var squares = vec4f();
  for (var k = reduction_index(local); k < depth4; k += REDUCTION_WIDTH) {
    let raw = input[first + k];
    squares += raw * raw;
    let x = raw * norm_weight[k];
    sums += vec4f(
      dot(w_unpack(weights[base.x + k]), x),
      dot(w_unpack(weights[base.y + k]), x),
      dot(w_unpack(weights[base.z + k]), x),
      dot(w_unpack(weights[base.w + k]), x),
    );
  }
  let mean = dot(reduce_add4(squares, local), vec4f(0.25)) / f32(depth4);
  return reduce_add4(sums, local) * inverseSqrt(mean + epsilon);
}
