// scales_f16: scale and bias of a group are a pair of f16. See weight_grouped.wgsl.

fn w_scale(stored: u32) -> vec2f {
  return unpack2x16float(stored);
}
