// sample_top: samples an id with temperature, top-k and top-p. Concatenated after sample_io.wgsl.
//
// One unit of work. Both cuts are thresholds on the logits, found exactly by fixing the bits of a
// sortable key from the top, two at a time: first the largest threshold with at least k ids at or
// above it, then the largest that keeps at least the fraction p of what is left. Equal logits stay
// together. The draw is the Gumbel maximum (https://arxiv.org/abs/1611.00712, §3.1) with noise that is a
// hash of seed, number of the draw and id, so that a seed gives the same ids everywhere.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (unit_index(group, local) > 0u) {
    return;
  }
  var sum = Softmax(LOWEST, 0.0);
  for (var id = reduction_index(local); id < params.vocabulary; id += REDUCTION_WIDTH) {
    sum = accumulated(sum, logit_of(id));
  }
  let peak = reduce_max4(vec4f(sum.peak), local).x;
  let all = reduce_add4(vec4f(sum.mass * exp(sum.peak - peak)), local).x;

  var floor = 0u;
  if (params.top_k > 0u && params.top_k < params.vocabulary) {
    floor = threshold(floor, f32(params.top_k), 0.0, peak, local);
  }
  if (params.top_p < 1.0) {
    var mass = 0.0;
    for (var id = reduction_index(local); id < params.vocabulary; id += REDUCTION_WIDTH) {
      mass += share(logit_of(id), floor, 1.0, peak);
    }
    mass = reduce_add4(vec4f(mass), local).x;
    floor = threshold(floor, params.top_p * mass, 1.0, peak, local);
  }

  let draw = sampled[1];
  var best = LOWEST;
  var best_id = NONE;
  for (var id = reduction_index(local); id < params.vocabulary; id += REDUCTION_WIDTH) {
    let logit = logit_of(id);
    let score = logit * params.inverse_temperature + gumbel(id, draw);
    if (sortable(logit) >= floor && score > best) {
      best = score;
      best_id = id;
    }
  }
  let highest = reduce_max4(vec4f(best), local).x;
  let candidate = select(LOWEST, -f32(best_id), best == highest && best_id != NONE);
  let chosen = reduce_max4(vec4f(candidate), local).x;
  if (reduction_index(local) == 0u) {
    store(select(NONE, u32(-chosen), chosen > LOWEST), peak, all);
  }
}

/// The largest key with at least `wanted` at or above it, counting what `floor` lets through.
fn threshold(floor: u32, wanted: f32, by_mass: f32, peak: f32, local: vec3u) -> u32 {
  var key = 0u;
  for (var shift = 32u; shift > 0u; shift -= 2u) {
    let tries = vec4u(key) | (vec4u(0, 1, 2, 3) << vec4u(shift - 2u));
    var above = vec4f();
    for (var id = reduction_index(local); id < params.vocabulary; id += REDUCTION_WIDTH) {
      let logit = logit_of(id);
      let part = share(logit, floor, by_mass, peak);
      above += select(vec4f(), vec4f(part), vec4u(sortable(logit)) >= tries);
    }
    above = reduce_add4(above, local);
    key = select(key, tries.y, above.y >= wanted);
    key = select(key, tries.z, above.z >= wanted);
    key = select(key, tries.w, above.w >= wanted);
  }
  return max(key, floor);
}

/// Weight of an id: 1, or its unnormalised probability; 0 below the floor.
fn share(logit: f32, floor: u32, by_mass: f32, peak: f32) -> f32 {
  let mass = exp((logit - peak) * params.inverse_temperature);
  return select(0.0, select(1.0, mass, by_mass > 0.0), sortable(logit) >= floor);
}

/// Orders as the float does.
fn sortable(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return bits ^ select(0x80000000u, 0xffffffffu, bits >> 31u == 1u);
}

/// Gumbel noise from pcg3d (Jarzynski and Olano 2020, https://jcgt.org/published/0009/03/02/).
fn gumbel(id: u32, draw: u32) -> f32 {
  var v = vec3u(params.seed, draw, id) * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v ^= v >> vec3u(16u);
  v.x += v.y * v.z;
  let uniform_draw = (f32(v.x >> 9u) + 0.5) / 8388608.0; // 23 bits: the half is still exact
  return -log(-log(uniform_draw));
}
