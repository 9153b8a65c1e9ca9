// lanes_workgroup: a workgroup is a unit of work; reductions are trees in shared memory.
// The interface is described in lanes_one.wgsl. WORKGROUP is a power of two.

override WORKGROUP: u32 = 64;
override LANES: u32 = WORKGROUP;

var<workgroup> lanes_tree: array<vec4f, WORKGROUP>;

fn unit_index(group: vec3u, local: vec3u) -> u32 {
  return group.y * 65535u + group.x;
}

fn lane_index(local: vec3u) -> u32 {
  return local.x;
}

fn reduce_add4(value: vec4f, local: vec3u) -> vec4f {
  workgroupBarrier(); // an earlier reduction may still be read
  lanes_tree[local.x] = value;
  for (var span = WORKGROUP / 2u; span > 0u; span /= 2u) {
    workgroupBarrier();
    if (local.x < span) {
      lanes_tree[local.x] += lanes_tree[local.x + span];
    }
  }
  workgroupBarrier();
  return lanes_tree[0];
}

fn reduce_max4(value: vec4f, local: vec3u) -> vec4f {
  workgroupBarrier();
  lanes_tree[local.x] = value;
  for (var span = WORKGROUP / 2u; span > 0u; span /= 2u) {
    workgroupBarrier();
    if (local.x < span) {
      lanes_tree[local.x] = max(lanes_tree[local.x], lanes_tree[local.x + span]);
    }
  }
  workgroupBarrier();
  return lanes_tree[0];
}
