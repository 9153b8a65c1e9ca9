// kv_q4: codes of 4 bits, eight in a word, the first in the lowest bits; a range for every 32 elements of a row.
// See kv_grouped.wgsl.

const KV_WORD4 = 2u; // vec4 of a word
const KV_CODES = 16.0;
const KV_LEVELS = 15.0;
const KV_GROUP4 = 8u;

/// 1 + code / KV_CODES of the i-th four codes of a word, as in kv_q8.wgsl.
fn kv_codes(word: u32, i: u32) -> vec4f {
  let half = word >> (16u * i);
  let bits = vec4u(half << 19u, half << 15u, half << 11u, half << 7u);
  return bitcast<vec4f>((bits & vec4u(0x00780000u)) | vec4u(0x3f800000u));
}

/// The part of a word that holds its i-th four codes.
fn kv_pack_codes(codes: vec4u, i: u32) -> u32 {
  return (codes.x | (codes.y << 4u) | (codes.z << 8u) | (codes.w << 12u)) << (16u * i);
}
