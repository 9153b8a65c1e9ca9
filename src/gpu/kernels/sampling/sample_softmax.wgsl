// sample_softmax: the slices as one, and the stored result. Concatenated after sample_io.wgsl and a
// reduction_*.wgsl, before sample_greedy.wgsl or sample_top.wgsl, whose one unit of work looks at all slices.

/// Highest logit of all slices, and the sum of exp(logit - highest) at temperature 1 and at the set one.
struct Softmax {
  peak: f32,
  mass: f32,
  heated: f32,
}

fn part_at(slice: u32) -> vec4f {
  return select(slices[slice], EMPTY, slice >= params.slices);
}

/// The invocation's slices as one.
fn own_slices(local: vec3u) -> vec4f {
  return joined_parts(reduction_index(local), REDUCTION_WIDTH, params.slices);
}

/// `own`: the slices of this invocation.
fn softmax(own: vec4f, local: vec3u) -> Softmax {
  let peak = reduce_max4(vec4f(own.x), local).x;
  let sums = own.yw * exp((own.x - peak) * vec2f(1.0, params.inverse_temperature));
  let all = reduce_add4(vec4f(sums, 0.0, 0.0), local);
  return Softmax(peak, all.x, all.y);
}

/// `chosen`: the negative id, LOWEST for none.
fn store(chosen: f32, log_probability: f32, local: vec3u) {
  if (reduction_index(local) > 0u) {
    return;
  }
  sampled[1] += 1u;
  sampled[0] = NONE;
  if (chosen > LOWEST) {
    sampled[0] = u32(-chosen);
    sampled[2] = bitcast<u32>(log_probability);
  }
}
