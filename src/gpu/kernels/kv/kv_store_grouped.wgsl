// kv_store_grouped: rounds group `part` of a row and writes it to the binding `CACHE`. The kernel defines `Source`
// and `new4(source, d)`, vec4 d of what is stored, and runs on a reduction_*.wgsl. See kv_plain.wgsl.

fn CACHE_store(row: u32, part: u32, source: Source, local: vec3u) {
  let first = part * KV_GROUP4;
  let end = min(first + KV_GROUP4, KV_DEPTH4);
  var highest = vec4f(-3e38);
  var lowest = vec4f(3e38);
  for (var d = first + reduction_index(local); d < end; d += REDUCTION_WIDTH) {
    let value = new4(source, d);
    highest = max(highest, value);
    lowest = min(lowest, value);
  }
  let highs = max(highest.xy, highest.zw);
  let lows = min(lowest.xy, lowest.zw);
  let bounds = reduce_max4(vec4f(highs, -lows), local);
  let range = kv_range(-max(bounds.z, bounds.w), max(bounds.x, bounds.y));
  let words = (end + KV_WORD4 - 1u) / KV_WORD4;
  for (var w = first / KV_WORD4 + reduction_index(local); w < words; w += REDUCTION_WIDTH) {
    var word = 0u;
    for (var i = 0u; i < KV_WORD4; i++) {
      let d = min(w * KV_WORD4 + i, KV_DEPTH4 - 1u);
      word |= kv_pack_codes(kv_encode(new4(source, d), range), i);
    }
    CACHE[kv_word_at(row, w)] = word;
  }
  if (reduction_index(local) == 0u) {
    CACHE[kv_range_at(row, part)] = range;
  }
}
