// sample_greedy: the id of the highest logit; ties go to the lowest id. Concatenated after
// sample_io.wgsl, and dispatched after sample_slices.
//
// One unit of work. Without a single comparable logit (all NaN) the id is NONE.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (unit_index(group, local) > 0u) {
    return;
  }
  var best = LOWEST;
  var best_id = NONE;
  for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
    let part = slices[slice];
    if (part.x > best && part.z >= 0.0) {
      best = part.x;
      best_id = u32(part.z);
    }
  }
  let peak = reduce_max4(vec4f(best), local).x;
  var mass = 0.0;
  for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
    let part = slices[slice];
    mass += part.y * exp(part.x - peak);
  }
  mass = reduce_add4(vec4f(mass), local).x;
  let candidate = select(LOWEST, -f32(best_id), best == peak && best_id != NONE);
  store(reduce_max4(vec4f(candidate), local).x, peak, mass, local);
}
