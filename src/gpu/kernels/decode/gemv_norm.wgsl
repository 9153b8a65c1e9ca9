// gemv_norm: product of four rows of a matrix and one RMS-normalised vector, in one pass over both.
// The kernel declares `weights` (array<W>), `input` and `norm_weight` (array<vec4f>); a unit of
// work is four rows. AHEAD runs along the depth are loaded before the first is used. Concatenated
// after gemv_rows.wgsl.

/// Sums over a part of the depth.
struct Normed4 {
  sums: vec4f,
  squares: vec4f,
}

/// Products of rows `rows` of `weights` with input[first …] / rms * norm_weight, the same in every
/// invocation.
fn dot_rows_normed(
  rows: vec4u,
  any_depth4: u32,
  first: u32,
  epsilon: f32,
  local: vec3u,
) -> vec4f {
  let depth4 = depth_of(any_depth4);
  let base = rows * w_stride(depth4);
  let runs = depth4 / RUN4;
  var total: Normed4;
  for (var start = 0u; start < runs; start += AHEAD * REDUCTION_WIDTH) {
    let place = start + reduction_index(local);
    let loaded = runs_from(base, depth4, place, runs);
    total = run_normed(total, loaded.a, place, runs, first);
    if (AHEAD > 1u) {
      total = run_normed(total, loaded.b, place + REDUCTION_WIDTH, runs, first);
    }
    if (AHEAD > 2u) {
      total = run_normed(total, loaded.c, place + 2u * REDUCTION_WIDTH, runs, first);
      total = run_normed(total, loaded.d, place + 3u * REDUCTION_WIDTH, runs, first);
    }
  }
  for (var k = runs * RUN4 + reduction_index(local); k < depth4; k += REDUCTION_WIDTH) {
    let x = input[first + k];
    total.squares += x * x;
    total.sums += rows_dot_at(base, depth4, k, x * norm_weight[k]);
  }
  let reduced = reduce_add5(total.sums, dot(total.squares, vec4f(1.0)), local);
  return reduced.four * inverseSqrt(reduced.one / f32(4u * depth4) + epsilon);
}

/// Adds run `run` of `runs`. Written out; RUN4 is 1, 2, 4 or 8.
fn run_normed(before: Normed4, rows: Rows4, run: u32, runs: u32, first: u32) -> Normed4 {
  if (!is_whole(runs) && run >= runs) {
    return before;
  }
  let k = run * RUN4;
  var total = vec4_normed(before, rows, 0u, k, first);
  if (RUN4 > 1u) {
    total = vec4_normed(total, rows, 1u, k + 1u, first);
  }
  if (RUN4 > 2u) {
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
