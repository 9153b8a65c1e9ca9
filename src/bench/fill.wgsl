// fill: pairs of f16 numbers of both signs, at least 2^(exponent - 15) and below 16 times that.
//
//   output  [count] u32, two numbers each
//
// Dispatch up to 65535 workgroups; each invocation writes every n-th word, n invocations in all.

struct Params {
  count: u32,
  seed: u32,
  // Biased exponent of the smallest numbers: 1 to 27.
  exponent: u32,
}

@group(0) @binding(0) var<storage, read_write> output: array<u32>;
@group(0) @binding(1) var<uniform> params: Params;

// The finalizer of MurmurHash3: 32 bits that look random.
fn hash(value: u32) -> u32 {
  var x = value ^ params.seed;
  x = (x ^ (x >> 16u)) * 0x85ebca6bu;
  x = (x ^ (x >> 13u)) * 0xc2b2ae35u;
  return x ^ (x >> 16u);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var at = id.x; at < params.count; at += groups.x * 256u) {
    let bits = hash(at);
    let exponents = vec2u((bits >> 10u) & 3u, (bits >> 26u) & 3u) + params.exponent;
    output[at] = (bits & 0x83ff83ffu) | (exponents.x << 10u) | (exponents.y << 26u);
  }
}
