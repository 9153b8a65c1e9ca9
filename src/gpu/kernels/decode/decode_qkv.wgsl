// decode_qkv: norm, fused q/k/v projection with bias, rotation, and append to the cache, for one row.
//
//   input        [depth4] vec4, the residual stream
//   norm_weight  [depth4] vec4 of the norm; from vec4 bias_first4 on the bias [all heads, head_dim]
//   weights      [part's heads, head_dim, depth4] W
//   angles       [head_dim / 4] vec4: cos, sin of element 2j, cos, sin of element 2j + 1
//   table        [layers, kv_heads] vec4u: offset, rows in use, capacity, flat offset
//   queries      [heads, head_dim] f32, as pairs
//   keys, values one layer of the cache, as pairs; the row goes to slot `rows in use`
//
// A unit of work is four rows of one head: elements 2j, 2j + 1 and those that they rotate with,
// head_dim / 2 further on. Dispatch `part's heads * head_dim / 4` units.

struct Params {
  units: u32,
  heads: u32,
  kv_heads: u32,
  half_pairs: u32, // head_dim / 4
  depth4: u32,
  layer: u32,
  first_head: u32, // of this part
  bias_first4: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> norm_weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<W>;
@group(0) @binding(3) var<storage, read> angles: array<vec4f>;
@group(0) @binding(4) var<storage, read> table: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> queries: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> keys: array<Kv2>;
@group(0) @binding(7) var<storage, read_write> values: array<Kv2>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  if (unit >= params.units) {
    return;
  }
  let half = params.half_pairs;
  let pair = unit % half;
  let first = unit / half * 4u * half + 2u * pair;
  let rows = first + vec4u(0u, 1u, 2u * half, 2u * half + 1u);
  // Loaded before the weights: their latency would follow that of the weights.
  let head = params.first_head + unit / half;
  let biases = vec4f(
    bias(head, 2u * pair),
    bias(head, 2u * pair + 1u),
    bias(head, 2u * (pair + half)),
    bias(head, 2u * (pair + half) + 1u),
  );
  let angle = angles[pair];
  let stored = cache_pair(head) + pair;
  let biased = dot_rows_normed(rows, params.depth4, 0u, params.epsilon, local) + biases;
  if (reduction_index(local) > 0u) {
    return;
  }
  if (head >= params.heads + params.kv_heads) {
    values[stored] = kv_pack2(biased.xy);
    values[stored + half] = kv_pack2(biased.zw);
    return;
  }
  let low = biased.xy * angle.xz - biased.zw * angle.yw;
  let high = biased.zw * angle.xz + biased.xy * angle.yw;
  if (head >= params.heads) {
    keys[stored] = kv_pack2(low);
    keys[stored + half] = kv_pack2(high);
    return;
  }
  queries[head * 2u * half + pair] = low;
  queries[head * 2u * half + pair + half] = high;
}

fn bias(head: u32, element: u32) -> f32 {
  let at = head * 4u * params.half_pairs + element;
  return norm_weight[params.bias_first4 + at / 4u][at % 4u];
}

/// First pair of the slot that receives the row of `head`, which counts queries, keys and values.
fn cache_pair(head: u32) -> u32 {
  let kv_head = (max(head, params.heads) - params.heads) % params.kv_heads;
  let region = table[params.layer * params.kv_heads + kv_head];
  return (region.x + region.y) * 2u * params.half_pairs;
}
