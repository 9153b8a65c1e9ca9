// gemv: product of four rows of a matrix and one vector, the core of the decode kernels. The kernel
// declares `weights` (array<W>) and `input` (array<vec4f>); a unit of work is four rows. AHEAD runs
// along the depth are loaded before the first is used. Concatenated after gemv_rows.wgsl.

/// Products of rows `rows` of `weights` with `input`, the same in every invocation.
fn dot_rows(rows: vec4u, any_depth4: u32, local: vec3u) -> vec4f {
  let depth4 = depth_of(any_depth4);
  let base = rows * w_stride(depth4);
  let runs = depth4 / RUN4;
  var sums = vec4f();
  for (var first = 0u; first < runs; first += AHEAD * REDUCTION_WIDTH) {
    let place = first + reduction_index(local);
    let loaded = runs_from(base, depth4, place, runs);
    sums += run_dot(loaded.a, place, runs);
    if (AHEAD > 1u) {
      sums += run_dot(loaded.b, place + REDUCTION_WIDTH, runs);
    }
    if (AHEAD > 2u) {
      sums += run_dot(loaded.c, place + 2u * REDUCTION_WIDTH, runs);
      sums += run_dot(loaded.d, place + 3u * REDUCTION_WIDTH, runs);
    }
  }
  for (var k = runs * RUN4 + reduction_index(local); k < depth4; k += REDUCTION_WIDTH) {
    sums += rows_dot_at(base, depth4, k, input[k]);
  }
  return reduce_add4(sums, local);
}

/// Products of run `run` of `runs`.
fn run_dot(rows: Rows4, run: u32, runs: u32) -> vec4f {
  if (!is_whole(runs) && run >= runs) {
    return vec4f();
  }
  let k = run * RUN4;
  if (RUN4 == 1u) {
    return rows_dot(rows, input[k], vec4f());
  }
  return rows_dot(rows, input[k], input[k + 1u]);
}
