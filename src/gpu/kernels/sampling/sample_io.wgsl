// sample_io: buffers of the sampling kernels. Concatenated after reduction_*.wgsl and before the kernel.
//
//   logits   [vocabulary] f32
//   slices   [slices] vec4 of each SLICE neighbouring ids: the highest logit; the sum of
//            exp(logit - highest); the id of the highest, -1 without a comparable logit (ids are exact
//            in f32: vocabularies stay below 2^24); and the sum at the temperature
//   sampled  [3] u32: the id, NONE without a comparable logit; how many were sampled so far; and the
//            bits of an f32, the logarithm of the id's probability under the model (temperature 1, no cut)

struct Params {
  vocabulary: u32,
  slices: u32,
  inverse_temperature: f32, // 0: greedy
  top_k: u32, // 0: off
  top_p: f32, // 1: off
  seed: u32,
  excluded: u32, // an id that is never sampled; NONE: no such id
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> slices: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sampled: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

const LOWEST = -3.4e38;
const NONE = 0xffffffffu;
const SLICE = 64u;

fn logit_of(id: u32) -> f32 {
  return select(logits[id], LOWEST, id == params.excluded);
}

/// Highest logit of all slices, and the sum of exp(logit - highest) at temperature 1 and at the set one.
struct Softmax {
  peak: f32,
  mass: f32,
  heated: f32,
}

fn softmax(local: vec3u) -> Softmax {
  var peak = LOWEST;
  for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
    peak = max(peak, slices[slice].x);
  }
  peak = reduce_max4(vec4f(peak), local).x;
  var sums = vec4f();
  for (var slice = reduction_index(local); slice < params.slices; slice += REDUCTION_WIDTH) {
    let part = slices[slice];
    let below = part.x - peak;
    sums += vec4f(part.y * exp(below), part.w * exp(below * params.inverse_temperature), 0.0, 0.0);
  }
  sums = reduce_add4(sums, local);
  return Softmax(peak, sums.x, sums.y);
}

/// Stores the lowest id among the invocations' best ones, with the logarithm of its probability.
fn store_best(score: f32, id: u32, sum: Softmax, local: vec3u) {
  let highest = reduce_max4(vec4f(score), local).x;
  let candidate = select(LOWEST, -f32(id), score == highest && id != NONE);
  store(reduce_max4(vec4f(candidate), local).x, sum.peak, sum.mass, local);
}

/// `chosen`: the negative id, LOWEST for none; `mass`: the sum of exp(logit - peak) over all ids.
fn store(chosen: f32, peak: f32, mass: f32, local: vec3u) {
  if (reduction_index(local) > 0u) {
    return;
  }
  sampled[1] += 1u;
  sampled[0] = NONE;
  if (chosen > LOWEST) {
    sampled[0] = u32(-chosen);
    sampled[2] = bitcast<u32>(logits[u32(-chosen)] - peak - log(mass));
  }
}
