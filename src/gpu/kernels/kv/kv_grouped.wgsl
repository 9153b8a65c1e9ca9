// kv_grouped: a cache of codes in 8 or 4 bits. A group of KV_GROUP4 vec4 of a row shares a range, two f16: its width
// and its lowest value; a value is lowest + code / KV_LEVELS * width. Concatenated after kv_q8.wgsl or kv_q4.wgsl;
// kv_plain.wgsl describes the interface.
//
// KV_BLOCK rows stand together: their codes, KV_WORDS words to a row, then their ranges, KV_GROUPS words to a row.
// So codes can be read 16 bytes at a time, no row wastes a byte, and whole blocks can be copied.
// A region of a head is whole blocks.

override KV_DEPTH4: u32; // head size / 4
override KV_WORDS: u32 = (KV_DEPTH4 + KV_WORD4 - 1u) / KV_WORD4;
override KV_GROUPS: u32 = (KV_DEPTH4 + KV_GROUP4 - 1u) / KV_GROUP4;
override KV_UNITS: u32 = KV_WORDS + KV_GROUPS;
const KV_BLOCK = 64u;

alias KvUnit = u32;
alias KvRun = vec4u;
const KV_RUN4 = 4u * KV_WORD4;

struct KvLoad {
  codes: vec4u,
  range: u32,
}

fn kv_run4(load: KvLoad, i: u32) -> vec4f {
  return kv_decode(load.codes[i / KV_WORD4], i, load.range);
}

fn kv_unit(row: u32, i: u32) -> u32 {
  if (i < KV_WORDS) {
    return kv_word_at(row, i);
  }
  return kv_range_at(row, i - KV_WORDS);
}

/// Place of word i of a row's codes.
fn kv_word_at(row: u32, i: u32) -> u32 {
  return row / KV_BLOCK * KV_BLOCK * KV_UNITS + row % KV_BLOCK * KV_WORDS + i;
}

/// Place of the range of a row's group.
fn kv_range_at(row: u32, group: u32) -> u32 {
  return (row / KV_BLOCK * KV_UNITS + KV_WORDS) * KV_BLOCK + row % KV_BLOCK * KV_GROUPS + group;
}

/// Values of vec4 d of a row, which is in `word`.
fn kv_decode(word: u32, d: u32, range: u32) -> vec4f {
  let stored = unpack2x16float(range); // width, lowest
  let factor = KV_CODES / KV_LEVELS * stored.x;
  return kv_codes(word, d % KV_WORD4) * factor + (stored.y - factor);
}

/// The range of values between two bounds. Its width is from the lowest value as rounded.
fn kv_range(lowest: f32, highest: f32) -> u32 {
  let low = unpack2x16float(pack2x16float(vec2f(clamp(lowest, -65504.0, 65504.0), 0.0))).x;
  return pack2x16float(vec2f(clamp(highest - low, 0.0, 65504.0), low));
}

/// Codes of four values, nearest to them.
fn kv_encode(values: vec4f, range: u32) -> vec4u {
  let stored = unpack2x16float(range);
  let steps = select(0.0, KV_LEVELS / stored.x, stored.x > 0.0);
  return vec4u(clamp((values - stored.y) * steps + 0.5, vec4f(), vec4f(KV_LEVELS)));
}

struct KvRow {
  word: u32,
  range: u32,
}

fn kv_row(row: u32) -> KvRow {
  return KvRow(kv_word_at(row, 0u), kv_range_at(row, 0u));
}
