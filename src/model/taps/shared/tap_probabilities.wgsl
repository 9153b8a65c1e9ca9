// tap_probabilities: attention probabilities of a block of query rows against all keys of the
// span.
//
//   spans          [layers, kv_heads] (row of the first key, keys, lead, 0): row r sees keys <= lead + r
//   cache          the layer's keys
//   queries        [rows, heads, KV_DEPTH4] of the tail, or of the chunk that holds it
//   lse            [rows, heads]
//   probabilities  [block rows, heads, ceil(keys / 4)] 0 for keys that a row does not see
//
// An invocation computes a block of four rows and four keys of one query head. Dispatch (ceil(keys /
// (4 * WORKGROUP)), ceil(block rows / 4), heads). Follows kv_*.wgsl.

override WORKGROUP: u32 = 32;

const BLOCK = 4u;

struct Params {
  layer: u32,
  heads: u32,
  kv_heads: u32,
  query_row: u32, // first row of the block within the queries
  row: u32,       // and within the prompt
  rows: u32,
  keys: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<KvUnit>;
@group(0) @binding(2) var<storage, read> queries: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> probabilities: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let keys_vec4 = (params.keys + 3u) / 4u;
  if (gid.x >= keys_vec4) {
    return;
  }
  let head = gid.z;
  let span = spans[params.layer * params.kv_heads + head / (params.heads / params.kv_heads)];
  let row = gid.y * BLOCK;
  let keys = gid.x * 4u + vec4u(0u, 1u, 2u, 3u);
  let at = span.x + min(keys, vec4u(max(span.y, 1u) - 1u));
  let query_rows = params.query_row + min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.rows - 1u));
  let rows = query_rows * params.heads + head;

  let scores = score(rows * KV_DEPTH4, at) * params.scale;
  let target_index = (row * params.heads + head) * keys_vec4 + gid.x;
  let stride = params.heads * keys_vec4;
  for (var i = 0u; i < min(BLOCK, params.rows - row); i++) {
    let visible = min(span.y, span.z + params.row + row + i + 1u);
    let probability = exp(scores[i] - lse[rows[i]]);
    probabilities[target_index + i * stride] = select(vec4f(), probability, keys < vec4u(visible));
  }
}

/// Products of four queries (columns), which begin at `q`, with the keys of four rows (components).
fn score(q: vec4u, k: vec4u) -> mat4x4f {
  let k0 = kv_row(k.x);
  let k1 = kv_row(k.y);
  let k2 = kv_row(k.z);
  let k3 = kv_row(k.w);
  var scores = mat4x4f();
  for (var d = 0u; d < KV_DEPTH4; d++) {
    let block = mat4x4f(
      cache_at(k0, d),
      cache_at(k1, d),
      cache_at(k2, d),
      cache_at(k3, d),
    );
    scores += mat4x4f(
      queries[q.x + d] * block,
      queries[q.y + d] * block,
      queries[q.z + d] * block,
      queries[q.w + d] * block,
    );
  }
  return scores;
}
