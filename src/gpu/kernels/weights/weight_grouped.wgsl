// weight_grouped: rows of weights in 4 or 8 bits. GROUP4 vec4 of a row share a scale and a bias; a weight
// is code * scale + bias, as MLX stores them. Concatenated after a weight_q*.wgsl, a group_*.wgsl and a
// scales_*.wgsl, before a kernel that declares `weights` (array<W>). weight_plain.wgsl describes the
// interface.
//
// A row: its codes, RUN4 vec4 to an element, then a word of scale and bias per group; both padded to whole
// elements of 16 bytes.

alias W = vec4u;

struct WRun {
  codes: vec4u,
  affine: vec2f,
}

fn w_stride(depth4: u32) -> u32 {
  return w_runs(depth4) + (depth4 + 4u * GROUP4 - 1u) / (4u * GROUP4);
}

fn w_at(base: u32, depth4: u32, k: u32) -> vec4f {
  let affine = w_affine(base, depth4, k);
  return w_codes(weights[base + k / RUN4], k % RUN4) * affine.x + affine.y;
}

fn w_run(base: u32, depth4: u32, run: u32) -> WRun {
  return WRun(weights[base + run], w_affine(base, depth4, run * RUN4));
}

fn w_run4(run: WRun, i: u32) -> vec4f {
  return w_codes(run.codes, i) * run.affine.x + run.affine.y;
}

/// Elements of a row's codes.
fn w_runs(depth4: u32) -> u32 {
  return (depth4 + RUN4 - 1u) / RUN4;
}

/// What turns `w_codes` into weights: a code q is stored as 1 + q / CODES there.
fn w_affine(base: u32, depth4: u32, k: u32) -> vec2f {
  let group = k / GROUP4;
  let stored = w_scale(weights[base + w_runs(depth4) + group / 4u][group % 4u]);
  return vec2f(CODES * stored.x, stored.y - CODES * stored.x);
}
