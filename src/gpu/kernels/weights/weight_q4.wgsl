// weight_q4: 8 codes of 4 bits in an element, the first in the lowest bits. See weight_grouped.wgsl.

const CODES = 16.0;
const PER_16_BYTES = 4u; // elements

alias W = u32;

fn w_word(element: W, i: u32) -> u32 {
  return element;
}

/// 1 + code / CODES of four neighbours: the codes are the upper bits of a mantissa, so that no integer
/// is converted.
fn w_codes(element: W, i: u32) -> vec4f {
  let word = element >> (16u * i);
  let bits = vec4u(word << 19u, word << 15u, word << 11u, word << 7u);
  return bitcast<vec4f>((bits & vec4u(0x00780000u)) | vec4u(0x3f800000u));
}
