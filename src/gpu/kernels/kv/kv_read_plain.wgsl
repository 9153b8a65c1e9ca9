// kv_read_plain: reads rows of the binding `CACHE`. See kv_plain.wgsl.

fn CACHE_at(row: u32, d: u32) -> vec4f {
  return kv_unpack(CACHE[row * KV_DEPTH4 + d]);
}
