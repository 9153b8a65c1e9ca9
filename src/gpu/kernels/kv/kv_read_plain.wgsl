// kv_read_plain: reads rows of the binding `CACHE`. See kv_plain.wgsl.

fn CACHE_at(at: KvRow, d: u32) -> vec4f {
  return kv_unpack(CACHE[at.first + d]);
}
