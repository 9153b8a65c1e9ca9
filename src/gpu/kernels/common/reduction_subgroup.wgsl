// reduction_subgroup: a workgroup is a unit of work; reductions run in subgroups, then across them.
// The interface is described in reduction_one.wgsl. Needs `enable subgroups`.
//
// Nothing is assumed about the size of a subgroup, nor about which invocations form one: an
// invocation counts its subgroup and its place in it, and the second step reads every slot exactly once.

override WORKGROUP: u32 = 64;
override REDUCTION_WIDTH: u32 = WORKGROUP;

var<workgroup> reduction_slots: array<vec4f, WORKGROUP>;

fn unit_index(group: vec3u, local: vec3u) -> u32 {
  return group.y * 65535u + group.x;
}

fn reduction_index(local: vec3u) -> u32 {
  return local.x;
}

fn reduce_add4(value: vec4f, local: vec3u) -> vec4f {
  let place = subgroupExclusiveAdd(1u);
  let size = subgroupAdd(1u);
  let sum = subgroupAdd(value);
  workgroupBarrier(); // an earlier reduction may still be read
  reduction_slots[local.x] = select(vec4f(), sum, place == 0u);
  workgroupBarrier();
  var total = vec4f();
  for (var slot = place; slot < WORKGROUP; slot += size) {
    total += reduction_slots[slot];
  }
  return subgroupAdd(total);
}

fn reduce_max4(value: vec4f, local: vec3u) -> vec4f {
  let place = subgroupExclusiveAdd(1u);
  let size = subgroupAdd(1u);
  workgroupBarrier();
  reduction_slots[local.x] = subgroupMax(value);
  workgroupBarrier();
  var highest = reduction_slots[place];
  for (var slot = place; slot < WORKGROUP; slot += size) {
    highest = max(highest, reduction_slots[slot]);
  }
  return subgroupMax(highest);
}
