// weight_grouped: rows of weights in 4 or 8 bits. GROUP4 vec4 of a row share a scale and a bias; a weight
// is code * scale + bias, as MLX stores them. Concatenated after a weight_q*.wgsl, a group_*.wgsl and a
// scales_*.wgsl, before a kernel that declares `weights` (array<W>). weight_plain.wgsl describes the
// interface.
//
// A row: its codes, 8 to an element, then a word of scale and bias per group; both padded to 16 bytes. A run is one
// element and no more: invocations that read neighbouring runs then read neighbouring inputs, too.

const RUN4 = 2u;

struct WRun {
  codes: W,
  affine: vec2f,
}

fn w_stride(depth4: u32) -> u32 {
  let words4 = (depth4 + 4u * GROUP4 - 1u) / (4u * GROUP4);
  return w_code_elements(depth4) + words4 * PER_16_BYTES;
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

/// Scale and bias are applied to the sums: twice instead of eight times.
fn w_run_dot(run: WRun, first: vec4f, second: vec4f, sum: f32) -> f32 {
  let codes = dot(w_codes(run.codes, 0u), first) + dot(w_codes(run.codes, 1u), second);
  return codes * run.affine.x + sum * run.affine.y;
}

/// Elements of a row's codes.
fn w_code_elements(depth4: u32) -> u32 {
  let most = RUN4 * PER_16_BYTES;
  return (depth4 + most - 1u) / most * PER_16_BYTES;
}

/// What turns `w_codes` into weights: a code q is stored as 1 + q / CODES there.
fn w_affine(base: u32, depth4: u32, k: u32) -> vec2f {
  const words = 4u / PER_16_BYTES; // of an element
  let group = k / GROUP4;
  let element = weights[base + w_code_elements(depth4) + group / words];
  let stored = w_scale(w_word(element, group % words));
  return vec2f(CODES * stored.x, stored.y - CODES * stored.x);
}
