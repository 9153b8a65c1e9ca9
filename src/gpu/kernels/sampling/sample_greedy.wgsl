// sample_greedy: the id of the highest logit; ties go to the lowest id. Concatenated after
// sample_softmax.wgsl, and dispatched after sample_slices.
//
// One unit of work. Without a single comparable logit (all NaN) the id is NONE.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (unit_index(group, local) > 0u) {
    return;
  }
  let own = own_slices(local);
  let sum = softmax(own, local);
  let candidate = select(LOWEST, own.z, own.x == sum.peak);
  store(reduce_max4(vec4f(candidate), local).x, -log(sum.mass), local);
}
