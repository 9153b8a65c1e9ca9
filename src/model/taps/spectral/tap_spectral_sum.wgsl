// tap_spectral_sum: deviation per row, and the energies of one layer's heads, from tap_low_pass.
//
//   k_squares, v_squares  [kv_heads, rows] (squared distance from the low-pass, squared length)
//   deviations            [layers, kv_heads, keys] mean over the head's dimensions, of K plus of V
//   energies              [layers, kv_heads] (high, all) of K, then of V
//
// A unit of work is one KV head. Dispatch `unitGroups(reduction, kv_heads)`. Follows reduction_*.wgsl.

struct Params {
  layer: u32,
  kv_heads: u32,
  rows: u32,
  keys: u32, // rows padded to a multiple of 4
  head_dim: u32,
}

@group(0) @binding(0) var<storage, read> k_squares: array<vec2f>;
@group(0) @binding(1) var<storage, read> v_squares: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> deviations: array<f32>;
@group(0) @binding(3) var<storage, read_write> energies: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let head = unit_index(group, local);
  let inside = head < params.kv_heads;
  let layer_head = params.layer * params.kv_heads + head;
  let rows = select(0u, params.rows, inside);
  var sum = vec4f(0.0);
  for (var row = reduction_index(local); row < rows; row += REDUCTION_WIDTH) {
    let k = k_squares[head * params.rows + row];
    let v = v_squares[head * params.rows + row];
    deviations[layer_head * params.keys + row] = (k.x + v.x) / f32(params.head_dim);
    sum += vec4f(k, v);
  }
  sum = reduce_add4(sum, local);
  if (inside && reduction_index(local) == 0u) {
    energies[layer_head] = sum;
  }
}
