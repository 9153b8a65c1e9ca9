// sample_greedy: the id of the highest logit; of equal ones the lowest id.
//
//   logits  [vocabulary] f32
//   drawn   [2] u32: the id, and how many were drawn before it
//
// One unit of work. Without a single comparable logit (all NaN) the id is NONE.

struct Params {
  vocabulary: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> drawn: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

const LOWEST = -3.4e38;
const NONE = 0xffffffffu;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (unit_index(group, local) > 0u) {
    return;
  }
  var best = LOWEST;
  var best_id = NONE;
  for (var id = lane_index(local); id < params.vocabulary; id += LANES) {
    let logit = logits[id];
    if (logit > best) {
      best = logit;
      best_id = id;
    }
  }
  let peak = reduce_max4(vec4f(best), local).x;
  // Ids are exact in f32: vocabularies stay below 2^24.
  let candidate = select(LOWEST, -f32(best_id), best == peak && best_id != NONE);
  let chosen = reduce_max4(vec4f(candidate), local).x;
  if (lane_index(local) == 0u) {
    drawn[0] = select(NONE, u32(-chosen), chosen > LOWEST);
    drawn[1] += 1u;
  }
}
