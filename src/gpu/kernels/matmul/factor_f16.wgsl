// factor_f16: four numbers of a factor in shared memory, rounded to f16. Needs `enable f16`. Concatenated before
// matmul_tiled.wgsl.

alias Factor4 = vec4h;

const MOST_F16 = vec4f(65504.0);

fn to_factor(x: vec4f) -> Factor4 {
  return vec4h(clamp(x, -MOST_F16, MOST_F16));
}
