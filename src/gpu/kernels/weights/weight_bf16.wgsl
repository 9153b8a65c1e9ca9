// weight_bf16: four neighbouring weights of a row, stored as bf16 pairs: the upper halves of f32.
// Concatenated before weight_plain.wgsl or weight_wide.wgsl.
alias W4 = vec2u;

fn w_unpack(w: W4) -> vec4f {
  return bitcast<vec4f>(vec4u(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u));
}
