// kv_put_grouped: rounds run r of a row and returns it; `stores` says whether it is also written to the binding
// `CACHE`. The kernel defines `Source` and `new4(source, d)`, vec4 d of the row. An invocation looks for the bounds of
// the run's whole group by itself. See kv_plain.wgsl.

fn CACHE_put(row: u32, r: u32, source: Source, stores: bool) -> KvLoad {
  let first = r * KV_RUN4;
  let group = first / KV_GROUP4;
  let start = group * KV_GROUP4;
  var highest = new4(source, start);
  var lowest = highest;
  for (var d = start + 1u; d < min(start + KV_GROUP4, KV_DEPTH4); d++) {
    let value = new4(source, d);
    highest = max(highest, value);
    lowest = min(lowest, value);
  }
  let highs = max(highest.xy, highest.zw);
  let lows = min(lowest.xy, lowest.zw);
  let range = kv_range(min(lows.x, lows.y), max(highs.x, highs.y));
  var codes = vec4u();
  for (var i = 0u; i < KV_RUN4; i++) {
    let four = kv_encode(new4(source, first + i), range);
    codes[i / KV_WORD4] |= kv_pack_codes(four, i % KV_WORD4);
  }
  if (stores) {
    CACHE[kv_word_at(row, 4u * r) / 4u] = codes;
    if (first == start) {
      let at = kv_range_at(row, group);
      CACHE[at / 4u][at % 4u] = range;
    }
  }
  return KvLoad(codes, range);
}
