// matmul_narrow: output = input × weightsᵀ for a few rows, stored by a store_*.wgsl: the weights are read once
// for all rows, as in a matrix–vector product. Concatenated after outer.wgsl and matmul_io.wgsl.
//
// A workgroup owns ROWS rows (4 or 8) by GROUPS groups of four columns of the product. An invocation has all rows and one
// group; LANES invocations share the depth. Eight neighbours read neighbours along the depth, and the next eight the
// same elements of the input for the next group, so inputs come from L2 once for all groups. Two runs of weights are
// loaded before the first is used. Dispatch ceil(rows / ROWS) * ceil(columns / (4 GROUPS)) workgroups, folded.

override WORKGROUP: u32 = 256;
override ROWS: u32 = 8;
const GROUPS = 4u;
const SUMS = 4u * GROUPS; // vec4 of four rows
override LANES: u32 = WORKGROUP / GROUPS;
override PARTS: u32 = 4u * WORKGROUP;

var<workgroup> parts: array<vec4f, PARTS>;
var<private> upper_first: vec4u; // vec4 where each row of the input begins
var<private> lower_first: vec4u;
var<private> upper: mat4x4f; // a column per row of the product
var<private> lower: mat4x4f;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let block = group_id.y * 65535u + group_id.x;
  let blocks_across = (params.columns + 4u * GROUPS - 1u) / (4u * GROUPS);
  let row = block / blocks_across * ROWS;
  let first_column = block % blocks_across * 4u * GROUPS;
  if (row >= params.rows) {
    return;
  }
  let group = local.x / 8u % GROUPS;
  let lane = local.x / (8u * GROUPS) * 8u + local.x % 8u;
  upper_first = input_bases(row);
  lower_first = input_bases(row + 4u);
  let column = first_column + 4u * group;
  let w0 = weight_base(column);
  let w1 = weight_base(column + 1u);
  let w2 = weight_base(column + 2u);
  let w3 = weight_base(column + 3u);
  let depth4 = params.depth4;
  let runs = depth4 / RUN4;
  var run = lane;
  for (; run + LANES < runs; run += 2u * LANES) {
    let next = run + LANES;
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
  for (var k = runs * RUN4 + lane; k < depth4; k += LANES) {
    add(k, w_at(w0, depth4, k), w_at(w1, depth4, k), w_at(w2, depth4, k), w_at(w3, depth4, k));
  }
  let index = group * 4u * LANES + lane;
  store_sums(row, first_column, upper, index, local.x);
  if (ROWS > 4u) {
    store_sums(row + 4u, first_column, lower, index, local.x);
  }
}

fn input_bases(row: u32) -> vec4u {
  return min(vec4u(row) + vec4u(0, 1, 2, 3), vec4u(params.rows - 1u)) * params.depth4;
}

fn add_run(run: u32, a: WRun, b: WRun, c: WRun, d: WRun) {
  for (var i = 0u; i < RUN4; i++) {
    add(run * RUN4 + i, w_run4(a, i), w_run4(b, i), w_run4(c, i), w_run4(d, i));
  }
}

/// Products of vec4 k of every row with the four columns' weights.
fn add(k: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  let w = transpose(mat4x4f(a, b, c, d));
  upper = add_rows(upper, upper_first + k, w);
  if (ROWS > 4u) {
    lower = add_rows(lower, lower_first + k, w);
  }
}

/// Adds the products of the four vec4 `at` of the input. `w`: a column per element of the depth.
fn add_rows(sums: mat4x4f, at: vec4u, w: mat4x4f) -> mat4x4f {
  let x = transpose(mat4x4f(input[at.x], input[at.y], input[at.z], input[at.w]));
  let half = add_outer(add_outer(sums, x[0], w[0]), x[1], w[1]);
  return add_outer(add_outer(half, x[2], w[2]), x[3], w[3]);
}

/// Adds up the lanes' sums of the four rows from `row` on, and stores them. `index`: where the first sum goes.
fn store_sums(row: u32, first_column: u32, sums: mat4x4f, index: u32, invocation: u32) {
  workgroupBarrier(); // earlier sums may still be read
  parts[index] = sums[0];
  parts[index + LANES] = sums[1];
  parts[index + 2u * LANES] = sums[2];
  parts[index + 3u * LANES] = sums[3];
  workgroupBarrier();
  // WORKGROUP / SUMS invocations add the parts of each sum, then one of them adds theirs.
  let share = WORKGROUP / SUMS;
  let place = invocation / share;
  var sum = vec4f();
  for (var lane = invocation % share; lane < LANES; lane += share) {
    sum += parts[place * LANES + lane];
  }
  workgroupBarrier();
  parts[invocation % share * SUMS + place] = sum;
  workgroupBarrier();
  let column = first_column + invocation / 4u * 4u;
  if (invocation < SUMS && column < params.columns) {
    var total = vec4f();
    for (var at = invocation; at < WORKGROUP; at += SUMS) {
      total += parts[at];
    }
    store_row(row + invocation % 4u, column, min(4u, params.columns - column), total);
  }
}
