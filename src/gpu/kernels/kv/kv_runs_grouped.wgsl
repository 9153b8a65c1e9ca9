// kv_runs_grouped: reads rows of the binding `CACHE`, 16 bytes at a time. See kv_plain.wgsl.

fn CACHE_run(row: u32, r: u32) -> KvLoad {
  let mark = kv_mark_at(row, r * KV_RUN4 / KV_GROUP4);
  return KvLoad(CACHE[kv_word_at(row, 4u * r) / 4u], CACHE[mark / 4u][mark % 4u]);
}
