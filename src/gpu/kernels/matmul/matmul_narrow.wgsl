// matmul_narrow: output = input × weightsᵀ for a few rows, stored by a store_*.wgsl: the weights are read once
// for all rows, as in a matrix–vector product. Concatenated after matmul_io.wgsl.
//
// A workgroup owns ROWS rows (1 to 8) by 4 columns of the product, and its invocations share the depth. Two runs
// of weights are loaded before the first is used. Dispatch ceil(rows / ROWS) * ceil(columns / 4) workgroups, folded.

override WORKGROUP: u32 = 128;
override ROWS: u32 = 8;
override PARTS: u32 = ROWS * WORKGROUP;

var<workgroup> parts: array<vec4f, PARTS>;
var<private> first: array<u32, 8>; // vec4 where each row of the input begins
var<private> s0: vec4f;
var<private> s1: vec4f;
var<private> s2: vec4f;
var<private> s3: vec4f;
var<private> s4: vec4f;
var<private> s5: vec4f;
var<private> s6: vec4f;
var<private> s7: vec4f;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let block = group.y * 65535u + group.x;
  let blocks_across = (params.columns + 3u) / 4u;
  let row = block / blocks_across * ROWS;
  let column = block % blocks_across * 4u;
  if (row >= params.rows) {
    return;
  }
  for (var i = 0u; i < ROWS; i++) {
    first[i] = input_base(row + i);
  }
  let w0 = weight_base(column);
  let w1 = weight_base(column + 1u);
  let w2 = weight_base(column + 2u);
  let w3 = weight_base(column + 3u);
  let depth4 = params.depth4;
  let runs = depth4 / RUN4;
  var run = local.x;
  for (; run + WORKGROUP < runs; run += 2u * WORKGROUP) {
    let next = run + WORKGROUP;
    let a0 = w_run(w0, depth4, run);
    let a1 = w_run(w1, depth4, run);
    let a2 = w_run(w2, depth4, run);
    let a3 = w_run(w3, depth4, run);
    let b0 = w_run(w0, depth4, next);
    let b1 = w_run(w1, depth4, next);
    let b2 = w_run(w2, depth4, next);
    let b3 = w_run(w3, depth4, next);
    add_run(run, a0, a1, a2, a3);
    add_run(next, b0, b1, b2, b3);
  }
  if (run < runs) {
    add_run(
      run,
      w_run(w0, depth4, run),
      w_run(w1, depth4, run),
      w_run(w2, depth4, run),
      w_run(w3, depth4, run),
    );
  }
  for (var k = runs * RUN4 + local.x; k < depth4; k += WORKGROUP) {
    add(k, w_at(w0, depth4, k), w_at(w1, depth4, k), w_at(w2, depth4, k), w_at(w3, depth4, k));
  }
  let sum = reduced(local.x);
  if (local.x < min(ROWS, params.rows - row)) {
    store4(row + local.x, column, min(4u, params.columns - column), sum);
  }
}

fn add_run(run: u32, a: WRun, b: WRun, c: WRun, d: WRun) {
  for (var i = 0u; i < RUN4; i++) {
    add(run * RUN4 + i, w_run4(a, i), w_run4(b, i), w_run4(c, i), w_run4(d, i));
  }
}

/// Products of vec4 k of every row with the four columns' weights.
fn add(k: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  s0 += dot4(input[first[0] + k], a, b, c, d);
  if (ROWS > 1u) {
    s1 += dot4(input[first[1] + k], a, b, c, d);
  }
  if (ROWS > 2u) {
    s2 += dot4(input[first[2] + k], a, b, c, d);
    s3 += dot4(input[first[3] + k], a, b, c, d);
  }
  if (ROWS > 4u) {
    s4 += dot4(input[first[4] + k], a, b, c, d);
    s5 += dot4(input[first[5] + k], a, b, c, d);
    s6 += dot4(input[first[6] + k], a, b, c, d);
    s7 += dot4(input[first[7] + k], a, b, c, d);
  }
}

/// The sum of row `index` over all invocations, for index < ROWS.
fn reduced(index: u32) -> vec4f {
  put(index, 0u, s0);
  put(index, 1u, s1);
  put(index, 2u, s2);
  put(index, 3u, s3);
  put(index, 4u, s4);
  put(index, 5u, s5);
  put(index, 6u, s6);
  put(index, 7u, s7);
  workgroupBarrier();
  // WORKGROUP / ROWS invocations add the parts of each row, then one of them adds theirs.
  let share = WORKGROUP / ROWS;
  var sum = vec4f();
  for (var at = index / ROWS; at < WORKGROUP; at += share) {
    sum += parts[index % ROWS * WORKGROUP + at];
  }
  workgroupBarrier();
  parts[index] = sum;
  workgroupBarrier();
  var total = vec4f();
  for (var at = index % ROWS; at < WORKGROUP; at += ROWS) {
    total += parts[at];
  }
  return total;
}

fn put(index: u32, row: u32, sum: vec4f) {
  if (row < ROWS) {
    parts[row * WORKGROUP + index] = sum;
  }
}
