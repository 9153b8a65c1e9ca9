// embed: x[row] = weights[ids[row]], for the rows whose id is in this part of the table.
//
//   ids      [rows] u32; the top bit marks a row of image features, which embed_features.wgsl places
//   weights  [part rows, width4] W
//   x        [rows, width4] vec4
//
// An invocation copies one vec4. Dispatch ceil(rows * width4 / 64), folded.

struct Params {
  rows: u32,
  width4: u32,
  first_id: u32,
  id_count: u32,
}

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> weights: array<W>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = (group.y * 65535u + group.x) * 64u + local.x;
  let row = at / params.width4;
  if (row >= params.rows) {
    return;
  }
  let entry = ids[row] - params.first_id; // wraps to a large number below the part
  if (entry < params.id_count) {
    x[at] = w_at(entry * w_stride(params.width4), params.width4, at % params.width4);
  }
}
