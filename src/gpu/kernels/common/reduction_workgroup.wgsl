// reduction_workgroup: a workgroup is a unit of work; reductions are trees in shared memory.
// The interface is described in reduction_one.wgsl. WORKGROUP is a power of two.

override WORKGROUP: u32 = 64;
override REDUCTION_WIDTH: u32 = WORKGROUP;

var<workgroup> reduction_tree: array<vec4f, WORKGROUP>;

fn unit_index(group: vec3u, local: vec3u) -> u32 {
  return group.y * 65535u + group.x;
}

fn reduction_index(local: vec3u) -> u32 {
  return local.x;
}

fn reduce_add4(value: vec4f, local: vec3u) -> vec4f {
  workgroupBarrier(); // an earlier reduction may still be read
  reduction_tree[local.x] = value;
  for (var span = WORKGROUP / 2u; span > 0u; span /= 2u) {
    workgroupBarrier();
    if (local.x < span) {
      reduction_tree[local.x] += reduction_tree[local.x + span];
    }
  }
  workgroupBarrier();
  return reduction_tree[0];
}

/// A vec4 and a number that are reduced together.
struct Five {
  four: vec4f,
  one: f32,
}

fn reduce_add5(four: vec4f, one: f32, local: vec3u) -> Five {
  return Five(reduce_add4(four, local), reduce_add4(vec4f(one), local).x);
}

fn reduce_max4(value: vec4f, local: vec3u) -> vec4f {
  workgroupBarrier();
  reduction_tree[local.x] = value;
  for (var span = WORKGROUP / 2u; span > 0u; span /= 2u) {
    workgroupBarrier();
    if (local.x < span) {
      reduction_tree[local.x] = max(reduction_tree[local.x], reduction_tree[local.x + span]);
    }
  }
  workgroupBarrier();
  return reduction_tree[0];
}
