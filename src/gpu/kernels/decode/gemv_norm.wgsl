// gemv_norm: product of four rows of a matrix and one RMS-normalised vector, in one pass over both.
// The kernel declares `weights` (array<W>), `input` and `norm_weight` (array<vec4f>); a unit of
// work is four rows. Two runs along the depth are loaded before the first is used. Concatenated
// after gemv_rows.wgsl.

/// Sums over a part of the depth.
struct Normed4 {
  sums: vec4f,
  squares: vec4f,
}

/// Products of rows `rows` of `weights` with input[first …] / rms * norm_weight, the same in every
/// invocation.
fn dot_rows_normed(rows: vec4u, depth4: u32, first: u32, epsilon: f32, local: vec3u) -> vec4f {
  let base = rows * w_stride(depth4);
  let runs = depth4 / RUN4;
  var total: Normed4;
  var run = reduction_index(local);
  for (; run + REDUCTION_WIDTH < runs; run += 2u * REDUCTION_WIDTH) {
    let near = rows_run(base, depth4, run);
    let far = rows_run(base, depth4, run + REDUCTION_WIDTH);
    total = run_normed(total, near, run, first);
    total = run_normed(total, far, run + REDUCTION_WIDTH, first);
  }
  if (run < runs) {
    total = run_normed(total, rows_run(base, depth4, run), run, first);
  }
  for (var k = runs * RUN4 + reduction_index(local); k < depth4; k += REDUCTION_WIDTH) {
    let x = input[first + k];
    total.squares += x * x;
    total.sums += rows_dot_at(base, depth4, k, x * norm_weight[k]);
  }
  let mean = dot(reduce_add4(total.squares, local), vec4f(0.25)) / f32(depth4);
  return reduce_add4(total.sums, local) * inverseSqrt(mean + epsilon);
}

/// Written out, because compilers that guard every loop do not unroll it. RUN4 is 1, 4 or 8.
fn run_normed(before: Normed4, rows: Rows4, run: u32, first: u32) -> Normed4 {
  let k = run * RUN4;
  var total = vec4_normed(before, rows, 0u, k, first);
  if (RUN4 > 1u) {
    total = vec4_normed(total, rows, 1u, k + 1u, first);
    total = vec4_normed(total, rows, 2u, k + 2u, first);
    total = vec4_normed(total, rows, 3u, k + 3u, first);
  }
  if (RUN4 > 4u) {
    total = vec4_normed(total, rows, 4u, k + 4u, first);
    total = vec4_normed(total, rows, 5u, k + 5u, first);
    total = vec4_normed(total, rows, 6u, k + 6u, first);
    total = vec4_normed(total, rows, 7u, k + 7u, first);
  }
  return total;
}

/// Adds vec4 i of the runs, which is vec4 k of the rows.
fn vec4_normed(before: Normed4, rows: Rows4, i: u32, k: u32, first: u32) -> Normed4 {
  let x = input[first + k];
  return Normed4(before.sums + rows_dot(rows, i, x * norm_weight[k]), before.squares + x * x);
}
