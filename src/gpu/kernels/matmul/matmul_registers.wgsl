// matmul_registers: output = input × weightsᵀ, stored by a store_*.wgsl. No barriers, no shared
// memory. Concatenated after matmul_io.wgsl.
//
// An invocation owns 6 rows by 4 columns of the product in registers: 10 vec4 loads feed 24 dot
// products. (On a software adapter loads dominate; 8 rows spill registers and are slower.) Dispatch
// ceil(rows / 6) * ceil(columns / 4) invocations, folded.

override WORKGROUP: u32 = 16;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let block = (group.y * 65535u + group.x) * WORKGROUP + local.x;
  let blocks_across = (params.columns + 3u) / 4u;
  let row = block / blocks_across * 6u;
  let column = block % blocks_across * 4u;
  if (row >= params.rows) {
    return;
  }
  let w0 = weight_base(column);
  let w1 = weight_base(column + 1u);
  let w2 = weight_base(column + 2u);
  let w3 = weight_base(column + 3u);
  let a0 = input_base(row);
  let a1 = input_base(row + 1u);
  let a2 = input_base(row + 2u);
  let a3 = input_base(row + 3u);
  let a4 = input_base(row + 4u);
  let a5 = input_base(row + 5u);
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  for (var k = 0u; k < params.depth4; k++) {
    let b0 = w_at(w0, params.depth4, k);
    let b1 = w_at(w1, params.depth4, k);
    let b2 = w_at(w2, params.depth4, k);
    let b3 = w_at(w3, params.depth4, k);
    s0 += dot4(input[a0 + k], b0, b1, b2, b3);
    s1 += dot4(input[a1 + k], b0, b1, b2, b3);
    s2 += dot4(input[a2 + k], b0, b1, b2, b3);
    s3 += dot4(input[a3 + k], b0, b1, b2, b3);
    s4 += dot4(input[a4 + k], b0, b1, b2, b3);
    s5 += dot4(input[a5 + k], b0, b1, b2, b3);
  }
  let count = min(4u, params.columns - column);
  store_row(row, column, count, s0);
  store_row(row + 1u, column, count, s1);
  store_row(row + 2u, column, count, s2);
  store_row(row + 3u, column, count, s3);
  store_row(row + 4u, column, count, s4);
  store_row(row + 5u, column, count, s5);
}
