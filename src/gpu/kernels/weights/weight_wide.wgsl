// weight_wide: rows of 16-bit weights whose number of columns is a multiple of 8, read 16 bytes at a time.
// Concatenated after weight_f16.wgsl or weight_bf16.wgsl. weight_plain.wgsl describes the interface.

const RUN4 = 2u;

alias W = vec4u;
alias WRun = vec4u;

fn w_stride(depth4: u32) -> u32 {
  return depth4 / 2u;
}

fn w_at(base: u32, depth4: u32, k: u32) -> vec4f {
  return w_run4(weights[base + k / 2u], k % 2u);
}

fn w_run(base: u32, depth4: u32, run: u32) -> WRun {
  return weights[base + run];
}

fn w_run4(run: WRun, i: u32) -> vec4f {
  return w_unpack(select(run.xy, run.zw, i > 0u));
}

fn w_run_dot(run: WRun, first: vec4f, second: vec4f, sum: f32) -> f32 {
  return dot(w_unpack(run.xy), first) + dot(w_unpack(run.zw), second);
}
