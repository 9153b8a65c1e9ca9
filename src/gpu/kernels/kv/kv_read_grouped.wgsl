// kv_read_grouped: reads rows of the binding `CACHE`. See kv_plain.wgsl.

fn CACHE_at(row: u32, d: u32) -> vec4f {
  return kv_decode(CACHE[kv_word_at(row, d / KV_WORD4)], d, CACHE[kv_mark_at(row, d / KV_GROUP4)]);
}
