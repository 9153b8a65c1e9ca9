// received_attention: the attention that each row of a range receives from its first query rows, mean over
// these and the heads. Attention is recomputed from its log-sum-exp; the range attends to itself alone.
//
//   queries   [total, heads, depth4] vec4, not scaled
//   keys      [heads, total, depth4] vec4
//   lse       [total, heads] natural log of the sum of exponentials of the scaled scores
//   received  [to + rows]: the last rows are written
//
// An invocation computes one row. Dispatch ceil(rows / 64) workgroups, folded.

struct Params {
  rows: u32,
  first: u32, // row of the range's start
  total: u32,
  to: u32,
  heads: u32,
  depth4: u32,
  query_rows: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<vec4f>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> received: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = (group.y * 65535u + group.x) * 64u + local.x;
  if (row >= params.rows) {
    return;
  }
  var sum = 0.0;
  for (var head = 0u; head < params.heads; head++) {
    let key = (head * params.total + params.first + row) * params.depth4;
    for (var q = params.first; q < params.first + params.query_rows; q++) {
      let at = q * params.heads + head;
      var score = 0.0;
      for (var d = 0u; d < params.depth4; d++) {
        score += dot(queries[at * params.depth4 + d], keys[key + d]);
      }
      sum += exp(score * params.scale - lse[at]);
    }
  }
  received[params.to + row] = sum / f32(params.heads * params.query_rows);
}
