// gemv: product of four rows of a matrix and one vector, the core of the decode kernels. The kernel
// declares `weights` (array<W4>) and `input` (array<vec4f>); a unit of work is four rows. Two steps
// along the depth are loaded before the first is used. Concatenated after gemv_rows.wgsl.

/// Products of rows `rows` of `weights` with `input`, the same in every invocation.
fn dot_rows(rows: vec4u, depth4: u32, local: vec3u) -> vec4f {
  let base = rows * depth4;
  var sums = vec4f();
  var k = reduction_index(local);
  for (; k + REDUCTION_WIDTH < depth4; k += 2u * REDUCTION_WIDTH) {
    let near = rows_at(base, k);
    let far = rows_at(base, k + REDUCTION_WIDTH);
    sums += rows_dot(near, input[k]) + rows_dot(far, input[k + REDUCTION_WIDTH]);
  }
  if (k < depth4) {
    sums += rows_dot(rows_at(base, k), input[k]);
  }
  return reduce_add4(sums, local);
}
