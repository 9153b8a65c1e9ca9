// gemv_rows: a run of weights of four rows at one place along the depth. Concatenated after a weight
// format (weight_plain.wgsl).

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

/// Products of vec4 i of the runs.
fn rows_dot(rows: Rows4, i: u32, x: vec4f) -> vec4f {
  return vec4f(
    dot(w_run4(rows.a, i), x),
    dot(w_run4(rows.b, i), x),
    dot(w_run4(rows.c, i), x),
    dot(w_run4(rows.d, i), x),
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
