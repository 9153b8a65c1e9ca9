// embed_features: x[row] = features[ids[row] without its top bit], for rows of this buffer of features.
// Where ADDS, x[row] grows by it.
//
//   ids       [rows] u32; the top bit marks a row of image features, the rest is its number
//   features  [row_count, width4] vec4, numbers first_row … first_row + row_count
//   x         [rows, width4] vec4
//
// An invocation copies one vec4. Dispatch ceil(rows * width4 / 64), folded.

struct Params {
  rows: u32,
  width4: u32,
  first_row: u32,
  row_count: u32,
}

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> features: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

override ADDS: bool = false;

const FEATURE_BIT = 0x80000000u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = (group.y * 65535u + group.x) * 64u + local.x;
  let row = at / params.width4;
  if (row >= params.rows || ids[row] < FEATURE_BIT) {
    return;
  }
  let entry = ids[row] - FEATURE_BIT - params.first_row; // wraps below this buffer
  if (entry < params.row_count) {
    x[at] = select(vec4f(), x[at], ADDS) + features[entry * params.width4 + at % params.width4];
  }
}
