// factor_f32: four numbers of a factor in shared memory, as they are. Concatenated before matmul_tiled.wgsl.

alias Factor4 = vec4f;

fn to_factor(x: vec4f) -> Factor4 {
  return x;
}
