// kv_store_plain: writes a row of the binding `CACHE`. The kernel defines `Source` and `new4(source, d)`, vec4 d
// of what is stored, and runs on a reduction_*.wgsl. See kv_plain.wgsl.

fn CACHE_store(row: u32, part: u32, source: Source, local: vec3u) {
  for (var d = reduction_index(local); d < KV_DEPTH4; d += REDUCTION_WIDTH) {
    CACHE[row * KV_DEPTH4 + d] = kv_pack(new4(source, d));
  }
}
