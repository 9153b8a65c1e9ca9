// reduction_subgroup: a workgroup is a unit of work; reductions run in subgroups, then across them.
// The interface is described in reduction_one.wgsl. Needs `enable subgroups`.
//
// Where all subgroups have SUBGROUP invocations, these are taken to be neighbours, which the self-test
// checks, and each subgroup has one slot. Otherwise nothing is assumed: an invocation counts its subgroup and
// its place in it, and the second step reads every slot exactly once.

override WORKGROUP: u32 = 64;
override REDUCTION_WIDTH: u32 = WORKGROUP;
override SUBGROUP: u32 = 0; // size of every subgroup, 0 if it varies
override NEIGHBOURS: u32 = max(SUBGROUP, 1u);

var<workgroup> reduction_slots: array<vec4f, WORKGROUP>;
var<workgroup> reduction_ones: array<f32, WORKGROUP>;

/// A vec4 and a number that are reduced together.
struct Five {
  four: vec4f,
  one: f32,
}

fn unit_index(group: vec3u, local: vec3u) -> u32 {
  return group.y * 65535u + group.x;
}

fn reduction_index(local: vec3u) -> u32 {
  return local.x;
}

fn reduce_add4(value: vec4f, local: vec3u) -> vec4f {
  return reduce_add5(value, 0.0, local).four;
}

fn reduce_add5(four: vec4f, one: f32, local: vec3u) -> Five {
  let sum = Five(subgroupAdd(four), subgroupAdd(one));
  if (SUBGROUP == WORKGROUP) {
    workgroupBarrier();
    return sum;
  }
  let place = subgroupExclusiveAdd(1u);
  let size = subgroupAdd(1u);
  workgroupBarrier(); // an earlier reduction may still be read
  var total: Five;
  if (SUBGROUP > 0u) {
    if (place == 0u) {
      reduction_slots[local.x / NEIGHBOURS] = sum.four;
      reduction_ones[local.x / NEIGHBOURS] = sum.one;
    }
    workgroupBarrier();
    for (var slot = 0u; slot < WORKGROUP / NEIGHBOURS; slot++) {
      total = Five(total.four + reduction_slots[slot], total.one + reduction_ones[slot]);
    }
    return total;
  }
  reduction_slots[local.x] = select(vec4f(), sum.four, place == 0u);
  reduction_ones[local.x] = select(0.0, sum.one, place == 0u);
  workgroupBarrier();
  for (var slot = place; slot < WORKGROUP; slot += size) {
    total = Five(total.four + reduction_slots[slot], total.one + reduction_ones[slot]);
  }
  return Five(subgroupAdd(total.four), subgroupAdd(total.one));
}

fn reduce_max4(value: vec4f, local: vec3u) -> vec4f {
  var highest = subgroupMax(value);
  if (SUBGROUP == WORKGROUP) {
    workgroupBarrier();
    return highest;
  }
  let place = subgroupExclusiveAdd(1u);
  let size = subgroupAdd(1u);
  workgroupBarrier();
  if (SUBGROUP > 0u) {
    if (place == 0u) {
      reduction_slots[local.x / NEIGHBOURS] = highest;
    }
    workgroupBarrier();
    for (var slot = 0u; slot < WORKGROUP / NEIGHBOURS; slot++) {
      highest = max(highest, reduction_slots[slot]);
    }
    return highest;
  }
  reduction_slots[local.x] = highest;
  workgroupBarrier();
  for (var slot = place; slot < WORKGROUP; slot += size) {
    highest = max(highest, reduction_slots[slot]);
  }
  return subgroupMax(highest);
}
