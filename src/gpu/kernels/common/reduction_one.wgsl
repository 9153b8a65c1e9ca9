// reduction_one: an invocation is a whole unit of work. No barriers, no shared memory.
//
// The three `reduction_*` files give one interface to kernels with reductions: work comes in units,
// a unit is shared by REDUCTION_WIDTH invocations, and each of them gets the same sum or maximum. Behind a reduction, each
// sees what the others wrote to shared memory before it.
// For adapters on which a barrier costs more than the sum (software adapters).

override WORKGROUP: u32 = 16;
const REDUCTION_WIDTH = 1u;

fn unit_index(group: vec3u, local: vec3u) -> u32 {
  return (group.y * 65535u + group.x) * WORKGROUP + local.x;
}

fn reduction_index(local: vec3u) -> u32 {
  return 0u;
}

fn reduce_add4(value: vec4f, local: vec3u) -> vec4f {
  return value;
}

/// A vec4 and a number that are reduced together.
struct Five {
  four: vec4f,
  one: f32,
}

fn reduce_add5(four: vec4f, one: f32, local: vec3u) -> Five {
  return Five(four, one);
}

fn reduce_max4(value: vec4f, local: vec3u) -> vec4f {
  return value;
}
