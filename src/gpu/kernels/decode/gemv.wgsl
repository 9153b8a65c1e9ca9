// gemv: product of four rows of a matrix and one vector, the core of the decode kernels. The kernel
// declares `weights` (array<W4>) and `input` (array<vec4f>); a unit of work is four rows.

/// Products of rows `rows` of `weights` with `input`, the same in every invocation.
fn dot_rows(rows: vec4u, depth4: u32, local: vec3u) -> vec4f {
  let base = rows * depth4;
  var sums = vec4f();
  for (var k = reduction_index(local); k < depth4; k += REDUCTION_WIDTH) {
    let x = input[k];
    sums += vec4f(
      dot(w_unpack(weights[base.x + k]), x),
      dot(w_unpack(weights[base.y + k]), x),
      dot(w_unpack(weights[base.z + k]), x),
      dot(w_unpack(weights[base.w + k]), x),
    );
  }
  return reduce_add4(sums, local);
}
