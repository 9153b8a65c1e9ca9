// weight_plain: rows of floating-point weights. Concatenated after a weight_*.wgsl with `W4` and
// `w_unpack`, before a kernel that declares `weights` (array<W>).
//
// The interface of every weight format, for kernels that multiply with it. A row of a matrix has depth4
// vec4 of weights, depth4 may be any number.
//
//   W         an element of the buffer
//   w_stride  elements of a row: row r begins at element r * w_stride(depth4), its `base`
//   w_at      vec4 k of a row
//   RUN4      1 or 2, vec4 of a run: what an invocation should load at once where it reads a row in order
//   WRun      a run as stored
//   w_run     run number `run` of a row, from vec4 run * RUN4 on; only whole runs: run < depth4 / RUN4
//   w_run4    vec4 i of a run, i < RUN4
//   w_run_dot product of a run with two vec4 of a vector, whose elements add up to `sum`; the second counts if
//             RUN4 is 2

const RUN4 = 1u;

alias W = W4;
alias WRun = W;

fn w_stride(depth4: u32) -> u32 {
  return depth4;
}

fn w_at(base: u32, depth4: u32, k: u32) -> vec4f {
  return w_unpack(weights[base + k]);
}

fn w_run(base: u32, depth4: u32, run: u32) -> WRun {
  return weights[base + run];
}

fn w_run4(run: WRun, i: u32) -> vec4f {
  return w_unpack(run);
}

fn w_run_dot(run: WRun, first: vec4f, second: vec4f, sum: f32) -> f32 {
  return dot(w_unpack(run), first);
}
