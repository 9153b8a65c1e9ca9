// sample_slices: what the sampling kernels need to know of each slice of the logits. Concatenated after
// sample_io.wgsl.
//
// A unit of work is a slice. Dispatch ceil(vocabulary / SLICE) units.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let slice = unit_index(group, local);
  if (slice >= params.slices) {
    return;
  }
  let first = slice * SLICE;
  let end = min(first + SLICE, params.vocabulary);
  var peak = LOWEST;
  var best_id = -1.0;
  for (var id = first + reduction_index(local); id < end; id += REDUCTION_WIDTH) {
    let logit = logit_of(id);
    if (logit > peak) { // never for NaN
      peak = logit;
      best_id = f32(id);
    }
  }
  let highest = reduce_max4(vec4f(peak), local).x;
  let candidate = select(LOWEST, -best_id, peak == highest && best_id >= 0.0);
  let best = reduce_max4(vec4f(candidate), local).x;
  var sums = vec4f();
  for (var id = first + reduction_index(local); id < end; id += REDUCTION_WIDTH) {
    let below = logit_of(id) - highest;
    sums.x += exp(below);
    if (params.inverse_temperature > 0.0) {
      sums.y += exp(below * params.inverse_temperature);
    }
  }
  sums = reduce_add4(sums, local);
  if (reduction_index(local) == 0u) {
    slices[slice] = vec4f(highest, sums.x, select(-1.0, -best, best > LOWEST), sums.y);
  }
}
