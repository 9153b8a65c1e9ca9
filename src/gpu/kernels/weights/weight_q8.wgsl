// weight_q8: 8 codes of 8 bits in an element, the first in the lowest bits. See weight_grouped.wgsl.

const CODES = 256.0;
const PER_16_BYTES = 2u; // elements

alias W = vec2u;

fn w_word(element: W, i: u32) -> u32 {
  return element[i];
}

/// 1 + code / CODES of four neighbours: the codes are the upper bits of a mantissa, so that no integer
/// is converted.
fn w_codes(element: W, i: u32) -> vec4f {
  let word = element[i];
  let bits = vec4u(word << 15u, word << 7u, word >> 1u, word >> 9u);
  return bitcast<vec4f>((bits & vec4u(0x007f8000u)) | vec4u(0x3f800000u));
}
