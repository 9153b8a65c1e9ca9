// sample_io: buffers of the sampling kernels. Concatenated after reduction_*.wgsl and before the kernel.
//
//   logits   [vocabulary] f32
//   sampled  [3] u32: the id, NONE without a comparable logit; how many were sampled so far; and the
//            bits of an f32, the logarithm of the id's probability under the model (temperature 1, no cut)

struct Params {
  vocabulary: u32,
  inverse_temperature: f32,
  top_k: u32, // 0: off
  top_p: f32, // 1: off
  seed: u32,
  excluded: u32, // an id that is never sampled; NONE: no such id
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> sampled: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

const LOWEST = -3.4e38;
const NONE = 0xffffffffu;

fn logit_of(id: u32) -> f32 {
  return select(logits[id], LOWEST, id == params.excluded);
}

/// Largest of the logits so far, and the sum of exp(logit - largest): one pass, without overflow
/// (Milakov and Gimelshein 2018, https://arxiv.org/abs/1805.02867, algorithm 3).
struct Softmax {
  peak: f32,
  mass: f32,
}

fn accumulated(sum: Softmax, logit: f32) -> Softmax {
  let peak = select(sum.peak, logit, logit > sum.peak); // NaN never becomes the peak
  return Softmax(peak, sum.mass * exp(sum.peak - peak) + exp(logit - peak));
}

/// Stores an id with the logarithm of its probability. `mass`: of all logits, relative to `peak`.
fn store(id: u32, peak: f32, mass: f32) {
  sampled[0] = id;
  sampled[1] += 1u;
  if (id != NONE) {
    sampled[2] = bitcast<u32>(logits[id] - peak - log(mass));
  }
}
