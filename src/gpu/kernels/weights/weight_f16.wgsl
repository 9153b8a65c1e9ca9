// weight_f16: four neighbouring weights of a row, stored as f16 pairs. Needs no `shader-f16`. Concatenated
// before weight_plain.wgsl or weight_wide.wgsl.
alias W4 = vec2u;

fn w_unpack(w: W4) -> vec4f {
  return vec4f(unpack2x16float(w.x), unpack2x16float(w.y));
}
