// rope_append: splits the fused projection of a chunk of rows into queries, keys and values, rotates
// queries and keys, and appends keys and values to one layer of the cache. NORMED: queries and keys are
// normalised over their heads before: x / rms(x) * weight. Qwen3: https://arxiv.org/abs/2505.09388.
//
//   qkv      [rows, heads + 2 * kv_heads, head_dim] f32, as pairs
//   angles   [rows, head_dim / 4] vec4: cos, sin of element 2j, cos, sin of element 2j + 1
//   table    [layers, kv_heads] vec4u: offset, rows in use, capacity, flat offset (model/kv/cache.ts)
//   queries  [rows, heads, head_dim] f32, as pairs
//   keys, values  one layer of the cache, as pairs
//   norm_weights  [2, head_dim] f32 of queries and of keys, as pairs; only read if NORMED
//
// Element i rotates with element i + head_dim / 2. An invocation owns two such pairs of one head:
// elements 2j, 2j + 1 and their partners; each sums the squares of its whole head, whose invocations are
// neighbours and read the same. Dispatch ceil(rows * all heads * head_dim / 4 / 64), folded.

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  half_pairs: u32, // head_dim / 4: pairs of elements in half a head
  layer: u32,
  epsilon: f32,
}

override NORMED: bool = false;

@group(0) @binding(0) var<storage, read> qkv: array<vec2f>;
@group(0) @binding(1) var<storage, read> angles: array<vec4f>;
@group(0) @binding(2) var<storage, read> table: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> queries: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> keys: array<Kv2>;
@group(0) @binding(5) var<storage, read_write> values: array<Kv2>;
@group(0) @binding(6) var<storage, read> norm_weights: array<vec2f>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = (group.y * 65535u + group.x) * 64u + local.x;
  let half = params.half_pairs;
  let all_heads = params.heads + 2u * params.kv_heads;
  let row = at / (all_heads * half);
  if (row >= params.rows) {
    return;
  }
  let head = at / half % all_heads;
  let pair = at % half;
  let first = (row * all_heads + head) * 2u * half;
  var low = qkv[first + pair];
  var high = qkv[first + pair + half];

  if (head >= params.heads + params.kv_heads) {
    let to = cache_pair(head - params.heads - params.kv_heads, row) + pair;
    values[to] = kv_pack2(low);
    values[to + half] = kv_pack2(high);
    return;
  }
  if (NORMED) {
    let scale = head_scale(first);
    let weight = select(0u, 2u * half, head >= params.heads) + pair;
    low *= scale * norm_weights[weight];
    high *= scale * norm_weights[weight + half];
  }
  let angle = angles[row * half + pair];
  let rotated_low = low * angle.xz - high * angle.yw;
  let rotated_high = high * angle.xz + low * angle.yw;
  if (head >= params.heads) {
    let to = cache_pair(head - params.heads, row) + pair;
    keys[to] = kv_pack2(rotated_low);
    keys[to + half] = kv_pack2(rotated_high);
    return;
  }
  let to = (row * params.heads + head) * 2u * half + pair;
  queries[to] = rotated_low;
  queries[to + half] = rotated_high;
}

/// 1 / rms of the head whose pairs begin at `first`.
fn head_scale(first: u32) -> f32 {
  var squares = vec2f();
  for (var i = 0u; i < 2u * params.half_pairs; i++) {
    let value = qkv[first + i];
    squares += value * value;
  }
  return inverseSqrt((squares.x + squares.y) / f32(4u * params.half_pairs) + params.epsilon);
}

/// First pair of the slot that receives chunk row `row` in KV head `head`.
fn cache_pair(head: u32, row: u32) -> u32 {
  let region = table[params.layer * params.kv_heads + head];
  return (region.x + region.y + row) * 2u * params.half_pairs;
}
