// sample_io: buffers of the sampling kernels. Concatenated after reduction_*.wgsl and before the kernel.
//
//   logits   [vocabulary] f32
//   sampled  [2] u32: the id, and how many were sampled before it; NONE without a comparable logit

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
