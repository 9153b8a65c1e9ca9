// kv_grouped: a cache of codes in 8 or 4 bits. KV_GROUP4 vec4 of a row share a mark, the range and the lowest
// of their values; a value is lowest + code / KV_LEVELS * range. Concatenated after kv_q8.wgsl or kv_q4.wgsl;
// kv_plain.wgsl describes the interface.
//
// KV_BLOCK rows stand together: their codes, KV_WORDS words to a row, then their marks, KV_MARKS words to a row,
// each two f16. So codes can be read 16 bytes at a time, no row wastes a byte, and whole blocks can be copied.
// A region of a head is whole blocks.

override KV_DEPTH4: u32; // head size / 4
override KV_WORDS: u32 = (KV_DEPTH4 + KV_WORD4 - 1u) / KV_WORD4;
override KV_MARKS: u32 = (KV_DEPTH4 + KV_GROUP4 - 1u) / KV_GROUP4;
override KV_UNITS: u32 = KV_WORDS + KV_MARKS;
const KV_BLOCK = 64u;

alias KvUnit = u32;
alias KvRun = vec4u;
const KV_RUN4 = 4u * KV_WORD4;

struct KvLoad {
  codes: vec4u,
  mark: u32,
}

fn kv_run4(load: KvLoad, i: u32) -> vec4f {
  return kv_decode(load.codes[i / KV_WORD4], i, load.mark);
}

fn kv_unit(row: u32, i: u32) -> u32 {
  if (i < KV_WORDS) {
    return kv_word_at(row, i);
  }
  return kv_mark_at(row, i - KV_WORDS);
}

/// Place of word i of a row's codes.
fn kv_word_at(row: u32, i: u32) -> u32 {
  return row / KV_BLOCK * KV_BLOCK * KV_UNITS + row % KV_BLOCK * KV_WORDS + i;
}

/// Place of the mark of a row's group.
fn kv_mark_at(row: u32, group: u32) -> u32 {
  return (row / KV_BLOCK * KV_UNITS + KV_WORDS) * KV_BLOCK + row % KV_BLOCK * KV_MARKS + group;
}

/// Values of vec4 d of a row, which is in `word`.
fn kv_decode(word: u32, d: u32, mark: u32) -> vec4f {
  let stored = unpack2x16float(mark); // range, lowest
  let factor = KV_CODES / KV_LEVELS * stored.x;
  return kv_codes(word, d % KV_WORD4) * factor + (stored.y - factor);
}

/// The mark of values between two bounds. The range reaches from the lowest value as rounded.
fn kv_mark(lowest: f32, highest: f32) -> u32 {
  let low = unpack2x16float(pack2x16float(vec2f(clamp(lowest, -65504.0, 65504.0), 0.0))).x;
  return pack2x16float(vec2f(clamp(highest - low, 0.0, 65504.0), low));
}

/// Codes of four values, nearest to them.
fn kv_encode(values: vec4f, mark: u32) -> vec4u {
  let stored = unpack2x16float(mark);
  let steps = select(0.0, KV_LEVELS / stored.x, stored.x > 0.0);
  return vec4u(clamp((values - stored.y) * steps + 0.5, vec4f(), vec4f(KV_LEVELS)));
}

struct KvRow {
  word: u32,
  mark: u32,
}

fn kv_row(row: u32) -> KvRow {
  return KvRow(kv_word_at(row, 0u), kv_mark_at(row, 0u));
}
