// weight_f32: four neighbouring weights of a row, stored as f32. Concatenated before weight_plain.wgsl.
alias W4 = vec4f;

fn w_unpack(w: W4) -> vec4f {
  return w;
}
