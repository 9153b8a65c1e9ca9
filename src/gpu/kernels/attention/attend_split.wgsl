// attend_split: attention of one row over a split of a cached head, shared by a workgroup;
// attend_combine combines the splits. Head sizes up to 256. Concatenated after attend_io.wgsl.
//
// A unit of work is one head and a split of 64 slots. First an invocation scores a slot; then they
// sum values, several slots and all vec4 of the head side by side. For reduction_workgroup and
// reduction_subgroup.

var<workgroup> weights: array<f32, WORKGROUP>;
var<workgroup> sums: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let head = unit % params.heads;
  let first = unit / params.heads * WORKGROUP;
  let kv_head = head / (params.heads / params.kv_heads);
  let region = table[params.layer * params.kv_heads + kv_head];
  if (unit >= params.units || first > region.y) {
    return;
  }
  let slots = min(WORKGROUP, region.y + 1u - first);
  let depth4 = params.depth4;
  let base = (region.x + first) * depth4;

  var score = HIDDEN;
  if (local.x < slots) {
    score = 0.0;
    for (var d = 0u; d < depth4; d++) {
      score += dot(queries[head * depth4 + d], kv_unpack(keys[base + local.x * depth4 + d]));
    }
    score *= params.scale;
  }
  let peak = reduce_max4(vec4f(score), local).x;
  let weight = select(0.0, exp(score - peak), local.x < slots);
  weights[local.x] = weight;
  let mass = reduce_add4(vec4f(weight), local).x; // its barriers also publish `weights`

  // `depth4` neighbouring invocations take every `stripes`-th slot.
  let stripes = WORKGROUP / depth4;
  let d = local.x % depth4;
  var sum = vec4f();
  if (local.x < stripes * depth4) {
    for (var slot = local.x / depth4; slot < slots; slot += stripes) {
      sum += weights[slot] * kv_unpack(values[base + slot * depth4 + d]);
    }
  }
  sums[local.x] = sum;
  workgroupBarrier();
  if (local.x < depth4) {
    for (var stripe = 1u; stripe < stripes; stripe++) {
      sum += sums[stripe * depth4 + d];
    }
    partials[unit * depth4 + d] = sum;
  }
  if (local.x == 0u) {
    stats[unit] = vec2f(peak, mass);
  }
}
