// scales_bf16: scale and bias of a group are a pair of bf16. See weight_grouped.wgsl.

fn w_scale(stored: u32) -> vec2f {
  return vec2f(bitcast<f32>(stored << 16u), bitcast<f32>(stored & 0xffff0000u));
}
