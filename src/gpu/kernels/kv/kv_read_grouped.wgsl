// kv_read_grouped: reads rows of the binding `CACHE`. See kv_plain.wgsl.

fn CACHE_at(at: KvRow, d: u32) -> vec4f {
  return kv_decode(CACHE[at.word + d / KV_WORD4], d, CACHE[at.range + d / KV_GROUP4]);
}
