// kv_put_plain: rounds run r of a row and returns it; `stores` says whether it is also written to the binding `CACHE`.
// The kernel defines `Source` and `new4(source, d)`, vec4 d of the row. See kv_plain.wgsl.

fn CACHE_put(row: u32, r: u32, source: Source, stores: bool) -> KvLoad {
  let first = r * KV_RUN4;
  let run = kv_pack_run(new4(source, first), new4(source, first + KV_RUN4 - 1u));
  if (stores) {
    CACHE[row * (KV_DEPTH4 / KV_RUN4) + r] = run;
  }
  return run;
}
