// tap_column_sum: what the queries of one chunk add to each key's column sum, averaged over the query
// heads of a group; query row q counts `factor` * 2^(log2_decay * (last_row - q)), which is 1 for plain sums. A second pass over q · k with the log-sum-exp that attention stored.
//
//   domains  [layers, kv_heads] (row of the first key, keys, lead, 0): query row r sees keys <= lead + r
//   cache    [rows, ROW_VEC4] the layer's keys
//   queries  [rows, heads, ROW_VEC4] rotated, not scaled
//   lse      [rows, heads] natural, of the scaled scores
//   sums     [layers, splits, kv_heads, ceil(keys / 4)] added to
//
// An invocation owns four keys of one KV head and one split of the chunk's queries, and compares them
// with BLOCK queries at a time: each vec4 that is read serves four or more products. Splits are planes
// of `sums` of their own, so that nothing is shared and nothing waits; `tap_sum_planes` adds them up.
// Dispatch (ceil(keys / (4 * WORKGROUP)), kv_heads, splits). Follows kv_*.wgsl.

override WORKGROUP: u32 = 32;
override ROW_VEC4: u32;

const BLOCK = 4u;

struct Params {
  layer: u32,
  heads: u32,
  kv_heads: u32,
  first_row: u32,
  rows: u32,
  keys: u32,
  splits: u32,
  scale: f32,
  last_row: u32,
  log2_decay: f32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> domains: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<Kv4>;
@group(0) @binding(2) var<storage, read> queries: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let keys_vec4 = (params.keys + 3u) / 4u;
  let domain = domains[params.layer * params.kv_heads + gid.y];
  let key = gid.x * 4u;
  if (key >= domain.y) {
    return;
  }
  let keys = key + vec4u(0u, 1u, 2u, 3u);
  let last_key = min(keys, vec4u(domain.y - 1u));
  let at = (domain.x + last_key) * ROW_VEC4;

  // Rows of the chunk, of this split, that see the first of the four keys.
  let hidden = i32(key) - i32(domain.z) - i32(params.first_row);
  let first = max(params.rows * gid.z / params.splits, u32(max(hidden, 0)));
  let end = params.rows * (gid.z + 1u) / params.splits;
  let group = params.heads / params.kv_heads;

  var total = vec4f(0.0);
  for (var row = first; row < end; row += BLOCK) {
    let age = vec4f(f32(params.last_row) - f32(params.first_row + row)) - vec4f(0.0, 1.0, 2.0, 3.0);
    let weights = params.factor * exp2(params.log2_decay * max(age, vec4f(0.0)));
    for (var head = gid.y * group; head < (gid.y + 1u) * group; head++) {
      let rows = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(end - 1u)) * params.heads + head;
      let q = rows * ROW_VEC4;
      var scores = array<vec4f, BLOCK>(); // one query each, four keys
      for (var lane = 0u; lane < ROW_VEC4; lane++) {
        let block = mat4x4f(
          kv_unpack(cache[at.x + lane]),
          kv_unpack(cache[at.y + lane]),
          kv_unpack(cache[at.z + lane]),
          kv_unpack(cache[at.w + lane]),
        );
        scores[0] += queries[q.x + lane] * block;
        scores[1] += queries[q.y + lane] * block;
        scores[2] += queries[q.z + lane] * block;
        scores[3] += queries[q.w + lane] * block;
      }
      for (var i = 0u; i < BLOCK; i++) {
        let seen = keys <= vec4u(domain.z + params.first_row + row + i);
        let counts = seen & vec4<bool>(row + i < end) & (keys < vec4u(domain.y));
        let probability = exp(scores[i] * params.scale - lse[rows[i]]);
        total += select(vec4f(0.0), weights[i] * probability, counts);
      }
    }
  }
  let plane = (params.layer * params.splits + gid.z) * params.kv_heads + gid.y;
  sums[plane * keys_vec4 + gid.x] += total / f32(group);
}
