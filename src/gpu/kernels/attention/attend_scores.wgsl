// attend_scores: what attend_split.wgsl computes for up to 8 query heads at once.

/// Reduces what heads 4 … 7 need, if there are any.
fn reduce_highs(value: vec4f, local: vec3u, takes_max: bool) -> vec4f {
  if (GROUP <= 4u) {
    return value;
  }
  if (takes_max) {
    return reduce_max4(value, local);
  }
  return reduce_add4(value, local);
}

/// Scores of a row of the cache, for all heads.
fn scores_of(row: u32) -> array<vec4f, 2> {
  var scores = array<vec4f, 2>();
  for (var d = 0u; d < RUNS; d++) {
    let run = keys_run(row, d);
    for (var r = 0u; r < KV_RUN4; r++) {
      let key = kv_run4(run, r);
      for (var h = 0u; h < GROUP; h++) {
        scores[h / 4u][h % 4u] += dot(query[h * DEPTH4 + d * KV_RUN4 + r], key);
      }
    }
  }
  for (var h = GROUP; h < 8u; h++) {
    scores[h / 4u][h % 4u] = HIDDEN;
  }
  return scores;
}
