// max_abs: most = max(most, |input|), as bits: those of numbers that are not negative rise with the numbers, and
// infinity and NaN stand above all.
//
//   input   [length4] vec4
//   most    [1] atomic u32, bits of an f32
//
// An invocation reads 16 vec4, 64 apart. Dispatch ceil(length4 / 1024) workgroups, folded.

struct Params {
  length4: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> most: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = (group.y * 65535u + group.x) * 1024u + local.x;
  var largest = vec4u(0);
  for (var at = first; at < min(first + 1024u, params.length4); at += 64u) {
    largest = max(largest, input[at] & vec4u(0x7fffffffu));
  }
  let one = max(max(largest.x, largest.y), max(largest.z, largest.w));
  if (one > 0u) {
    atomicMax(&most[0], one);
  }
}
