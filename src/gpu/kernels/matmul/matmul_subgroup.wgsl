// matmul_subgroup: output = input × weightsᵀ, stored by a store_*.wgsl. No barriers, no shared
// memory; needs `enable subgroups`. Concatenated after matmul_io.wgsl.
//
// A workgroup owns 8 rows, an invocation those rows by 4 columns of its own. All invocations need the same rows of the
// input, so each of a quad loads two of them and broadcasts them to the others: on adapters where loads are slow this
// halves the time. Dispatch ceil(rows / 8) * ceil(columns / (4 * WORKGROUP)) workgroups, folded.

override WORKGROUP: u32 = 16;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let block = group.y * 65535u + group.x;
  let blocks_across = (params.columns + 4u * WORKGROUP - 1u) / (4u * WORKGROUP);
  let row = block / blocks_across * 8u;
  let column = (block % blocks_across * WORKGROUP + local.x) * 4u;
  if (row >= params.rows) {
    return;
  }
  let w0 = weight_base(column);
  let w1 = weight_base(column + 1u);
  let w2 = weight_base(column + 2u);
  let w3 = weight_base(column + 3u);
  let a_low = input_base(row + invocation % 4u);
  let a_high = input_base(row + 4u + invocation % 4u);
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  for (var k = 0u; k < params.depth4; k++) {
    let b0 = w_at(w0, params.depth4, k);
    let b1 = w_at(w1, params.depth4, k);
    let b2 = w_at(w2, params.depth4, k);
    let b3 = w_at(w3, params.depth4, k);
    let low = input[a_low + k];
    let high = input[a_high + k];
    s0 += dot4(quadBroadcast(low, 0u), b0, b1, b2, b3);
    s1 += dot4(quadBroadcast(low, 1u), b0, b1, b2, b3);
    s2 += dot4(quadBroadcast(low, 2u), b0, b1, b2, b3);
    s3 += dot4(quadBroadcast(low, 3u), b0, b1, b2, b3);
    s4 += dot4(quadBroadcast(high, 0u), b0, b1, b2, b3);
    s5 += dot4(quadBroadcast(high, 1u), b0, b1, b2, b3);
    s6 += dot4(quadBroadcast(high, 2u), b0, b1, b2, b3);
    s7 += dot4(quadBroadcast(high, 3u), b0, b1, b2, b3);
  }
  if (column >= params.columns) {
    return;
  }
  let count = min(4u, params.columns - column);
  store_row(row, column, count, s0);
  store_row(row + 1u, column, count, s1);
  store_row(row + 2u, column, count, s2);
  store_row(row + 3u, column, count, s3);
  store_row(row + 4u, column, count, s4);
  store_row(row + 5u, column, count, s5);
  store_row(row + 6u, column, count, s6);
  store_row(row + 7u, column, count, s7);
}
