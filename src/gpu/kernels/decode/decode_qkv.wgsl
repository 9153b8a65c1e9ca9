// decode_qkv: norm, fused q/k/v projection with bias, and rotation, for one row.
//
//   input        [depth4] vec4, the residual stream
//   norm_weight  [depth4] vec4 of the norm; from vec4 bias_first4 on the bias [all heads, head_dim]
//   weights      [part's heads, head_dim, depth4] W
//   angles       [head_dim / 4] vec4: cos, sin of element 2j, cos, sin of element 2j + 1
//
// and where the row goes: decode_qkv_cache.wgsl or decode_qkv_row.wgsl, which is concatenated before.
//
// A unit of work is four rows of one head: elements 2j, 2j + 1 and those that they rotate with,
// head_dim / 2 further on. Dispatch `part's heads * head_dim / 4` units.

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> norm_weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<W>;
@group(0) @binding(3) var<storage, read> angles: array<vec4f>;

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
  let place = place_of(head, pair);
  let biased = dot_rows_normed(rows, params.depth4, 0u, params.epsilon, local) + biases;
  if (reduction_index(local) == 0u) {
    store(head, pair, place, biased, angle);
  }
}

fn bias(head: u32, element: u32) -> f32 {
  let at = head * 4u * params.half_pairs + element;
  return norm_weight[params.bias_first4 + at / 4u][at % 4u];
}

/// Two elements and those that they rotate with, rotated.
fn rotated(four: vec4f, angle: vec4f) -> vec4f {
  let low = four.xy * angle.xz - four.zw * angle.yw;
  let high = four.zw * angle.xz + four.xy * angle.yw;
  return vec4f(low, high);
}
