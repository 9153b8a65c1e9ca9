// kv_runs_plain: reads rows of the binding `CACHE`, 16 bytes at a time. See kv_plain.wgsl.

fn CACHE_run(row: u32, r: u32) -> KvLoad {
  return CACHE[row * (KV_DEPTH4 / KV_RUN4) + r];
}
