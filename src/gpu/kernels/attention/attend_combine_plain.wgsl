// attend_combine_plain: combines the splits of attend_split_plain into the attention of one row.
//
//   table     [layers, kv_heads] vec4u: offset, rows before this one, capacity, flat offset
//   partials  [splits, heads, depth4] vec4, stats [splits, heads] vec2: see attend_split_plain.wgsl
//   output    [heads, depth4] vec4
//   lse       [heads] natural log of the sum of exponentials of the scaled scores
//
// An invocation owns one vec4 of one head. Dispatch ceil(heads * depth4 / 16).

struct Params {
  heads: u32,
  kv_heads: u32,
  depth4: u32,
  layer: u32,
  split_slots: u32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4u>;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let head = gid.x / params.depth4;
  if (head >= params.heads) {
    return;
  }
  let kv_head = head / (params.heads / params.kv_heads);
  let slots = table[params.layer * params.kv_heads + kv_head].y + 1u;
  let splits = (slots + params.split_slots - 1u) / params.split_slots;
  var peak = stats[head].x;
  for (var split = 1u; split < splits; split++) {
    peak = max(peak, stats[split * params.heads + head].x);
  }
  var sum = vec4f();
  var mass = 0.0;
  for (var split = 0u; split < splits; split++) {
    let unit = split * params.heads + head;
    let weight = exp(stats[unit].x - peak);
    mass += weight * stats[unit].y;
    sum += weight * partials[unit * params.depth4 + gid.x % params.depth4];
  }
  output[gid.x] = sum / mass;
  if (gid.x % params.depth4 == 0u) {
    lse[head] = peak + log(mass);
  }
}
