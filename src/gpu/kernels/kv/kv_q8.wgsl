// kv_q8: codes of 8 bits, four in a word, the first in the lowest bits; one range for a row. See kv_grouped.wgsl.

const KV_WORD4 = 1u; // vec4 of a word
const KV_CODES = 256.0;
const KV_LEVELS = 255.0;
override KV_GROUP4: u32 = KV_DEPTH4;

/// 1 + code / KV_CODES of four neighbours: the codes are the upper bits of a mantissa, so that no integer
/// is converted.
fn kv_codes(word: u32, i: u32) -> vec4f {
  let bits = vec4u(word << 15u, word << 7u, word >> 1u, word >> 9u);
  return bitcast<vec4f>((bits & vec4u(0x007f8000u)) | vec4u(0x3f800000u));
}

/// The part of a word that holds four codes.
fn kv_pack_codes(codes: vec4u, i: u32) -> u32 {
  return codes.x | (codes.y << 8u) | (codes.z << 16u) | (codes.w << 24u);
}
