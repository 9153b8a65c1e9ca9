// gemv_rows: weights of four rows at one place along the depth. The kernel declares `weights`
// (array<W4>).

struct Rows4 {
  a: W4,
  b: W4,
  c: W4,
  d: W4,
}

/// `base`: first W4 of each row.
fn rows_at(base: vec4u, k: u32) -> Rows4 {
  return Rows4(weights[base.x + k], weights[base.y + k], weights[base.z + k], weights[base.w + k]);
}

fn rows_dot(rows: Rows4, x: vec4f) -> vec4f {
  return vec4f(
    dot(w_unpack(rows.a), x),
    dot(w_unpack(rows.b), x),
    dot(w_unpack(rows.c), x),
    dot(w_unpack(rows.d), x),
  );
}
