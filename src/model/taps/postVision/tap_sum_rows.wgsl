// tap_sum_rows: adds counts per row and head over the rows of a block.
//
//   counts  u32 [block rows, heads]
//   sums    u32 [layers, heads] added to
//
// One invocation per head. Dispatch ceil(heads / WORKGROUP).

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  heads: u32,
  rows: u32,
}

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.heads) {
    return;
  }
  var total = 0u;
  for (var row = 0u; row < params.rows; row++) {
    total += counts[row * params.heads + gid.x];
  }
  sums[params.layer * params.heads + gid.x] += total;
}
