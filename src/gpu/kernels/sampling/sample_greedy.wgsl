// sample_greedy: the id of the highest logit; ties go to the lowest id. Concatenated after
// sample_io.wgsl.
//
// One unit of work. Without a single comparable logit (all NaN) the id is NONE.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (unit_index(group, local) > 0u) {
    return;
  }
  var best = LOWEST;
  var best_id = NONE;
  for (var id = reduction_index(local); id < params.vocabulary; id += REDUCTION_WIDTH) {
    let logit = logit_of(id);
    if (logit > best) {
      best = logit;
      best_id = id;
    }
  }
  let peak = reduce_max4(vec4f(best), local).x;
  // Ids are exact in f32: vocabularies stay below 2^24.
  let candidate = select(LOWEST, -f32(best_id), best == peak && best_id != NONE);
  let chosen = reduce_max4(vec4f(candidate), local).x;
  if (reduction_index(local) == 0u) {
    sampled[0] = select(NONE, u32(-chosen), chosen > LOWEST);
    sampled[1] += 1u;
  }
}
