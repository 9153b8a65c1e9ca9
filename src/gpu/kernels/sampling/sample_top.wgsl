// sample_top: samples an id with temperature, top-k and top-p. Concatenated after
// sample_softmax.wgsl, and dispatched after sample_slices.
//
// One unit of work. Both cuts are thresholds on the logits, found exactly by fixing the bits of a
// sortable key from the top, two at a time: first the largest threshold with at least k ids at or
// above it, then the largest that keeps at least the fraction p of what is left. Equal logits stay
// together. Slices whose highest logit is below a bound on the threshold are not read: the k-th
// highest logit is at least the k-th highest of the slices' peaks; and ids that together have less than
// 1 - p of the mass are cut. The draw is the Gumbel maximum (https://arxiv.org/abs/1611.00712, §3.1)
// with noise that is a hash of seed, number of the draw and id: a seed gives the same ids everywhere.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (unit_index(group, local) > 0u) {
    return;
  }
  let sum = softmax(own_slices(local), local);
  let share = 0.5 * (1.0 - params.top_p) * sum.heated / f32(params.vocabulary); // half: rounding
  var floor = 0u;
  var bound = sortable(sum.peak + log(share) / params.inverse_temperature);
  var kept = sum.heated;
  if (params.top_k > 0u && params.top_k < params.vocabulary) {
    let peaks = threshold_of_peaks(f32(params.top_k), local);
    floor = threshold(peaks, 0u, f32(params.top_k), false, sum.peak, local);
    bound = floor;
    kept = mass_from(floor, sum.peak, local);
  }
  if (params.top_p < 1.0) {
    floor = threshold(bound, floor, params.top_p * kept, true, sum.peak, local);
  }

  let draw = sampled[1];
  var best = LOWEST;
  var best_id = NONE;
  for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
    if (sortable(slices[slice].x) < floor) {
      continue;
    }
    for (var id = slice; id < params.vocabulary; id += params.slices) {
      let logit = logit_of(id);
      let score = logit * params.inverse_temperature + gumbel(id, draw);
      let is_better = score > best || (score == best && id < best_id);
      if (sortable(logit) >= floor && is_better) {
        best = score;
        best_id = id;
      }
    }
  }
  let highest = reduce_max4(vec4f(best), local).x;
  let candidate = select(LOWEST, -f32(best_id), best == highest && best_id != NONE);
  let chosen = reduce_max4(vec4f(candidate), local).x;
  var log_probability = 0.0;
  if (chosen > LOWEST) {
    log_probability = logits[u32(-chosen)] - sum.peak - log(sum.mass);
  }
  store(chosen, log_probability, local);
}

fn logit_of(id: u32) -> f32 {
  return select(logits[id], LOWEST, id == params.excluded);
}

/// The largest key with at least `wanted` ids, or mass, at or above it, counting what `floor` lets
/// through. `bound`: a key that is not above it.
fn threshold(bound: u32, floor: u32, wanted: f32, by_mass: bool, peak: f32, local: vec3u) -> u32 {
  var key = 0u;
  for (var shift = 32u; shift > 0u; shift -= 2u) {
    let tries = tries_at(key, shift);
    var above = vec4f();
    for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
      if (sortable(slices[slice].x) < bound) {
        continue;
      }
      for (var id = slice; id < params.vocabulary; id += params.slices) {
        let logit = logit_of(id);
        let part = select(0.0, select(1.0, heated(logit, peak), by_mass), sortable(logit) >= floor);
        above += select(vec4f(), vec4f(part), vec4u(sortable(logit)) >= tries);
      }
    }
    key = chosen_try(key, tries, reduce_add4(above, local), wanted);
  }
  return max(key, floor);
}

/// The largest key with at least `wanted` slices whose peak is at or above it; 0 if there are fewer.
fn threshold_of_peaks(wanted: f32, local: vec3u) -> u32 {
  var key = 0u;
  for (var shift = 32u; shift > 0u; shift -= 2u) {
    let tries = tries_at(key, shift);
    var above = vec4f();
    for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
      above += select(vec4f(), vec4f(1.0), vec4u(sortable(slices[slice].x)) >= tries);
    }
    key = chosen_try(key, tries, reduce_add4(above, local), wanted);
  }
  return key;
}

fn tries_at(key: u32, shift: u32) -> vec4u {
  return vec4u(key) | (vec4u(0, 1, 2, 3) << vec4u(shift - 2u));
}

fn chosen_try(key: u32, tries: vec4u, above: vec4f, wanted: f32) -> u32 {
  var next = select(key, tries.y, above.y >= wanted);
  next = select(next, tries.z, above.z >= wanted);
  return select(next, tries.w, above.w >= wanted);
}

/// Mass of the ids at or above `floor`.
fn mass_from(floor: u32, peak: f32, local: vec3u) -> f32 {
  var mass = 0.0;
  for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
    if (sortable(slices[slice].x) < floor) {
      continue;
    }
    for (var id = slice; id < params.vocabulary; id += params.slices) {
      let logit = logit_of(id);
      mass += select(0.0, heated(logit, peak), sortable(logit) >= floor);
    }
  }
  return reduce_add4(vec4f(mass), local).x;
}

/// Unnormalised probability of a logit at the temperature.
fn heated(logit: f32, peak: f32) -> f32 {
  return exp((logit - peak) * params.inverse_temperature);
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
