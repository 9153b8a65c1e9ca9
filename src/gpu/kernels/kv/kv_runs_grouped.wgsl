// kv_runs_grouped: reads rows of the binding `CACHE`, 16 bytes at a time. See kv_plain.wgsl.

fn CACHE_run(row: u32, r: u32) -> KvLoad {
  let at = kv_range_at(row, r * KV_RUN4 / KV_GROUP4);
  return KvLoad(CACHE[kv_word_at(row, 4u * r) / 4u], CACHE[at / 4u][at % 4u]);
}
