// gemv_rows: runs of weights of four rows along the depth. Concatenated after a weight format
// (weight_plain.wgsl).

override DEPTH4: u32 = 0; // of the only matrix size, 0: of any; a constant spares loads and branches
override AHEAD: u32 = 1; // runs that an invocation loads at a time: 1, 2 or 4

fn depth_of(any_depth4: u32) -> u32 {
  return select(any_depth4, DEPTH4, DEPTH4 > 0u);
}

/// Whether the invocations' runs end with the rows.
fn is_whole(runs: u32) -> bool {
  return DEPTH4 > 0u && runs % (AHEAD * REDUCTION_WIDTH) == 0u;
}

struct Rows4 {
  a: WRun,
  b: WRun,
  c: WRun,
  d: WRun,
}

/// `base`: where each row begins.
fn rows_run(base: vec4u, depth4: u32, run: u32) -> Rows4 {
  return Rows4(
    w_run(base.x, depth4, run),
    w_run(base.y, depth4, run),
    w_run(base.z, depth4, run),
    w_run(base.w, depth4, run),
  );
}

/// AHEAD runs of each row. Written out, because compilers that guard every loop do not unroll it.
struct Ahead {
  a: Rows4,
  b: Rows4,
  c: Rows4,
  d: Rows4,
}

/// Runs `place`, `place` + REDUCTION_WIDTH, …; the last run stands for those beyond.
fn runs_from(base: vec4u, depth4: u32, place: u32, runs: u32) -> Ahead {
  let last = runs - 1u;
  var loaded: Ahead;
  loaded.a = rows_run(base, depth4, min(place, last));
  if (AHEAD > 1u) {
    loaded.b = rows_run(base, depth4, min(place + REDUCTION_WIDTH, last));
  }
  if (AHEAD > 2u) {
    loaded.c = rows_run(base, depth4, min(place + 2u * REDUCTION_WIDTH, last));
    loaded.d = rows_run(base, depth4, min(place + 3u * REDUCTION_WIDTH, last));
  }
  return loaded;
}

/// Products of the runs with `first` and, if RUN4 is 2, `second`.
fn rows_dot(rows: Rows4, first: vec4f, second: vec4f) -> vec4f {
  let sum = dot(first + second, vec4f(1.0));
  return vec4f(
    w_run_dot(rows.a, first, second, sum),
    w_run_dot(rows.b, first, second, sum),
    w_run_dot(rows.c, first, second, sum),
    w_run_dot(rows.d, first, second, sum),
  );
}

/// Products of vec4 k of the rows.
fn rows_dot_at(base: vec4u, depth4: u32, k: u32, x: vec4f) -> vec4f {
  return vec4f(
    dot(w_at(base.x, depth4, k), x),
    dot(w_at(base.y, depth4, k), x),
    dot(w_at(base.z, depth4, k), x),
    dot(w_at(base.w, depth4, k), x),
  );
}
