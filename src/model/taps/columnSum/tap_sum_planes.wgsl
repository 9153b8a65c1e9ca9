// tap_sum_planes: adds the planes that the splits of `tap_column_sum` wrote.
//
//   planes  [layers, splits, width]  width in vec4
//   sums    [layers, width]
//
// One invocation adds one vec4 of one layer. Dispatch (ceil(width / WORKGROUP), layers).

override WORKGROUP: u32 = 32;

struct Params {
  splits: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.width) {
    return;
  }
  var total = vec4f(0.0);
  for (var split = 0u; split < params.splits; split++) {
    total += planes[(gid.y * params.splits + split) * params.width + gid.x];
  }
  sums[gid.y * params.width + gid.x] = total;
}
