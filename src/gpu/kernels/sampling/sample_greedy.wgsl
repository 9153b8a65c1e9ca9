// sample_greedy: the id of the highest logit; ties go to the lowest id. Concatenated after
// sample_io.wgsl.
//
// One unit of work. Without a single comparable logit (all NaN) the id is NONE.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (unit_index(group, local) > 0u) {
    return;
  }
  var sum = Softmax(LOWEST, 0.0);
  var best_id = NONE;
  for (var id = reduction_index(local); id < params.vocabulary; id += REDUCTION_WIDTH) {
    let logit = logit_of(id);
    if (logit > sum.peak) {
      best_id = id;
    }
    sum = accumulated(sum, logit);
  }
  let peak = reduce_max4(vec4f(sum.peak), local).x;
  let mass = reduce_add4(vec4f(sum.mass * exp(sum.peak - peak)), local).x;
  // Ids are exact in f32: vocabularies stay below 2^24.
  let candidate = select(LOWEST, -f32(best_id), sum.peak == peak && best_id != NONE);
  let chosen = reduce_max4(vec4f(candidate), local).x;
  if (reduction_index(local) == 0u) {
    store(select(NONE, u32(-chosen), chosen > LOWEST), peak, mass);
  }
}
