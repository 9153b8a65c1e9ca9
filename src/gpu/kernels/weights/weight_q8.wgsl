// weight_q8: 16 codes of 8 bits in an element, the first in the lowest bits. See weight_grouped.wgsl.

const RUN4 = 4u;
const CODES = 256.0;

/// 1 + code / CODES of four neighbours: the codes are the upper bits of a mantissa, so that no integer
/// is converted.
fn w_codes(element: vec4u, i: u32) -> vec4f {
  let word = element[i];
  let bits = vec4u(word << 15u, word << 7u, word >> 1u, word >> 9u);
  return bitcast<vec4f>((bits & vec4u(0x007f8000u)) | vec4u(0x3f800000u));
}
