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

/// Adds run `run` of `runs`.
fn run_normed(before: Normed4, rows: Rows4, run: u32, runs: u32, first: u32) -> Normed4 {
  if (!is_whole(runs) && run >= runs) {
    return before;
  }
  let k = run * RUN4;
  let x = input[first + k];
  var y = vec4f();
  var second = vec4f();
  if (RUN4 > 1u) {
    y = input[first + k + 1u];
    second = y * norm_weight[k + 1u];
  }
  let sums = rows_dot(rows, x * norm_weight[k], second);
  return Normed4(before.sums + sums, before.squares + x * x + y * y);
}
