// gemv: product of four rows of a matrix and one vector, the core of the decode kernels. The kernel
// declares `weights` (array<W>) and `input` (array<vec4f>); a unit of work is four rows. Two runs
// along the depth are loaded before the first is used. Concatenated after gemv_rows.wgsl.

/// Products of rows `rows` of `weights` with `input`, the same in every invocation.
fn dot_rows(rows: vec4u, depth4: u32, local: vec3u) -> vec4f {
  let base = rows * w_stride(depth4);
  let runs = depth4 / RUN4;
  var sums = vec4f();
  var run = reduction_index(local);
  for (; run + REDUCTION_WIDTH < runs; run += 2u * REDUCTION_WIDTH) {
    let near = rows_run(base, depth4, run);
    let far = rows_run(base, depth4, run + REDUCTION_WIDTH);
    sums += run_dot(near, run) + run_dot(far, run + REDUCTION_WIDTH);
  }
  if (run < runs) {
    sums += run_dot(rows_run(base, depth4, run), run);
  }
  for (var k = runs * RUN4 + reduction_index(local); k < depth4; k += REDUCTION_WIDTH) {
    sums += rows_dot_at(base, depth4, k, input[k]);
  }
  return reduce_add4(sums, local);
}

/// Written out, because compilers that guard every loop do not unroll it. RUN4 is 1, 4 or 8.
fn run_dot(rows: Rows4, run: u32) -> vec4f {
  let k = run * RUN4;
  var sums = rows_dot(rows, 0u, input[k]);
  if (RUN4 > 1u) {
    sums += rows_dot(rows, 1u, input[k + 1u]);
    sums += rows_dot(rows, 2u, input[k + 2u]);
    sums += rows_dot(rows, 3u, input[k + 3u]);
  }
  if (RUN4 > 4u) {
    sums += rows_dot(rows, 4u, input[k + 4u]);
    sums += rows_dot(rows, 5u, input[k + 5u]);
    sums += rows_dot(rows, 6u, input[k + 6u]);
    sums += rows_dot(rows, 7u, input[k + 7u]);
  }
  return sums;
}
