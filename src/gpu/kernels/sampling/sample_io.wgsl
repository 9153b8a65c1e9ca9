// sample_io: buffers of the sampling kernels, and how slices of the ids are joined. Concatenated before the kernel,
// which declares `part_at`.
//
//   logits   [vocabulary] f32
//   slices   [slices] vec4 of each slice, the ids s, s + slices, s + 2 slices, …, so that neighbours read neighbours:
//            the highest logit; the sum of exp(logit - highest); the lowest id of the highest, negative, LOWEST
//            without a comparable logit (ids are exact in f32: vocabularies stay below 2^24); and the sum at the
//            temperature
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
/// A slice without ids.
const EMPTY = vec4f(LOWEST, 0.0, LOWEST, 0.0);

/// Two slices as one. NaN is never the highest.
fn joined(a: vec4f, b: vec4f) -> vec4f {
  let is_higher = b.x > a.x;
  let high = select(a, b, is_higher);
  let low = select(b, a, is_higher);
  let sums = high.yw + low.yw * exp((low.x - high.x) * vec2f(1.0, params.inverse_temperature));
  let id = select(high.z, max(high.z, low.z), low.x == high.x);
  return vec4f(high.x, sums.x, id, sums.y);
}

/// The parts `first`, `first` + `step`, … of `count` as one slice. Eight are loaded before the first is used.
fn joined_parts(first: u32, step: u32, count: u32) -> vec4f {
  var whole = EMPTY;
  for (var at = first; at < count; at += 8u * step) {
    let a = part_at(at);
    let b = part_at(at + step);
    let c = part_at(at + 2u * step);
    let d = part_at(at + 3u * step);
    let e = part_at(at + 4u * step);
    let f = part_at(at + 5u * step);
    let g = part_at(at + 6u * step);
    let h = part_at(at + 7u * step);
    whole = joined(joined(joined(joined(whole, a), b), c), d);
    whole = joined(joined(joined(joined(whole, e), f), g), h);
  }
  return whole;
}
