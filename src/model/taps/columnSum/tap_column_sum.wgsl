// tap_column_sum: adds the attention of one chunk's queries to each key's column sum, averaged over
// the query heads of a group: a second pass over q · k with the log-sum-exp that attention stored.
// Query row q has the weight factor * 2^(log2_decay * (last_row - q)), which is 1 for plain sums.
//
//   spans    [layers, kv_heads] (row of the first key, keys, lead, 0): query row r sees keys <= lead + r
//   cache    [rows, ROW_VEC4] the layer's keys
//   queries  [rows, heads, ROW_VEC4] rotated, not scaled
//   lse      [rows, heads] natural, of the scaled scores
//   sums     [layers, splits, kv_heads, ceil(keys / 4)] added to
//
// An invocation owns four keys of one KV head and one split of the chunk's queries, and compares
// them with BLOCK queries at a time: 10 vec4 loads feed 24 products, held in matrices because
// software adapters do not keep arrays in registers. Each split writes its own plane of `sums`, so
// no synchronisation is needed; `tap_sum_planes` adds the planes. Dispatch (ceil(keys / (4 *
// WORKGROUP)), kv_heads, splits). Concatenated after kv_*.wgsl.

override WORKGROUP: u32 = 32;
override ROW_VEC4: u32;

const BLOCK = 6u;

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

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<Kv4>;
@group(0) @binding(2) var<storage, read> queries: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let keys_vec4 = (params.keys + 3u) / 4u;
  let span = spans[params.layer * params.kv_heads + gid.y];
  let key = gid.x * 4u;
  if (key >= span.y) {
    return;
  }
  let keys = key + vec4u(0u, 1u, 2u, 3u);
  let last_key = min(keys, vec4u(span.y - 1u));
  let at = (span.x + last_key) * ROW_VEC4;

  // Rows of the chunk, of this split, that see the first of the four keys.
  let hidden = i32(key) - i32(span.z) - i32(params.first_row);
  let first = max(params.rows * gid.z / params.splits, u32(max(hidden, 0)));
  let end = params.rows * (gid.z + 1u) / params.splits;
  let group = params.heads / params.kv_heads;

  var total = vec4f();
  for (var row = first; row < end; row += BLOCK) {
    let front = row + vec4u(0u, 1u, 2u, 3u);
    let back = row + vec2u(4u, 5u);
    // End of the keys that each row sees; rows beyond the split see none.
    let lead = span.z + params.first_row + 1u;
    let front_ends = select(vec4u(), min(vec4u(span.y), lead + front), front < vec4u(end));
    let back_ends = select(vec2u(), min(vec2u(span.y), lead + back), back < vec2u(end));
    let front_weights = weights(vec4f(front));
    let back_weights = weights(vec4f(vec2f(back), 0.0, 0.0));
    for (var head = gid.y * group; head < (gid.y + 1u) * group; head++) {
      let p = min(front, vec4u(end - 1u)) * params.heads + head;
      let o = min(back, vec2u(end - 1u)) * params.heads + head;
      let q = p * ROW_VEC4;
      let r = o * ROW_VEC4;
      // Products of six queries (columns) with four keys (components).
      var s = mat4x4f();
      var t = mat2x4f();
      for (var d = 0u; d < ROW_VEC4; d++) {
        let k = mat4x4f(
          kv_unpack(cache[at.x + d]),
          kv_unpack(cache[at.y + d]),
          kv_unpack(cache[at.z + d]),
          kv_unpack(cache[at.w + d]),
        );
        s += mat4x4f(
          queries[q.x + d] * k,
          queries[q.y + d] * k,
          queries[q.z + d] * k,
          queries[q.w + d] * k,
        );
        t += mat2x4f(queries[r.x + d] * k, queries[r.y + d] * k);
      }
      s *= params.scale;
      t *= params.scale;
      total += select(vec4f(), front_weights.x * exp(s[0] - lse[p.x]), keys < vec4u(front_ends.x));
      total += select(vec4f(), front_weights.y * exp(s[1] - lse[p.y]), keys < vec4u(front_ends.y));
      total += select(vec4f(), front_weights.z * exp(s[2] - lse[p.z]), keys < vec4u(front_ends.z));
      total += select(vec4f(), front_weights.w * exp(s[3] - lse[p.w]), keys < vec4u(front_ends.w));
      total += select(vec4f(), back_weights.x * exp(t[0] - lse[o.x]), keys < vec4u(back_ends.x));
      total += select(vec4f(), back_weights.y * exp(t[1] - lse[o.y]), keys < vec4u(back_ends.y));
    }
  }
  let plane = (params.layer * params.splits + gid.z) * params.kv_heads + gid.y;
  sums[plane * keys_vec4 + gid.x] += total / f32(group);
}

/// Weights of the chunk's rows.
fn weights(rows: vec4f) -> vec4f {
  let age = f32(params.last_row) - f32(params.first_row) - rows;
  return params.factor * exp2(params.log2_decay * max(age, vec4f()));
}
