// weight_f16: four neighbouring weights of a row, stored as f16 pairs. Needs no `shader-f16`. Concatenated
// before weight_plain.wgsl.
alias W = vec2u;

fn w_unpack(w: W) -> vec4f {
  return vec4f(unpack2x16float(w.x), unpack2x16float(w.y));
}
