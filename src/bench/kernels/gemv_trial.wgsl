// gemv_trial: products of the rows of a matrix with one vector, in the shape that the constants choose.
//
//   input    [depth8, 2] vec4
//   gain     [depth8, 2] vec4: weight of the norm
//   weights  [any, depth8] vec4u: eight f16 numbers each; the matrix begins at `first`
//   output   [rows] f32
//
// A team of TEAM invocations computes ROWS rows; a workgroup has WORKGROUP / TEAM teams. AHEAD steps
// along the depth are loaded before the first is used. Dispatch ceil(rows / (ROWS * teams)), folded.
// A team of at most SUBGROUP invocations needs no barrier.

struct Params {
  rows: u32,
  depth8: u32,
  first: u32,
}

override WORKGROUP: u32 = 64;
override TEAM: u32 = 32;
override ROWS: u32 = 4; // at most 16
override AHEAD: u32 = 1;
override NORM: bool = false;
override SUBGROUP: u32 = 32;
override SLOTS: u32 = 16; // ROWS * WORKGROUP / SUBGROUP

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> gain: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> slots: array<f32, SLOTS>;
var<workgroup> square_slots: array<f32, 64>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let team = local.x / TEAM;
  let place = local.x % TEAM;
  let row = ((group.y * 65535u + group.x) * (WORKGROUP / TEAM) + team) * ROWS;
  let last = params.depth8 - 1u;
  var sums: array<f32, 16>;
  var squares = 0.0;
  for (var k = place; k < params.depth8; k += TEAM * AHEAD) {
    for (var a = 0u; a < AHEAD; a++) {
      let wanted = k + a * TEAM;
      let at = min(wanted, last);
      let inside = select(0.0, 1.0, wanted <= last);
      var low = input[2u * at] * inside;
      var high = input[2u * at + 1u] * inside;
      if (NORM) {
        squares += dot(low, low) + dot(high, high);
        low *= gain[2u * at];
        high *= gain[2u * at + 1u];
      }
      for (var r = 0u; r < ROWS; r++) {
        let w = weights[params.first + min(row + r, params.rows - 1u) * params.depth8 + at];
        sums[r] += dot(vec4f(unpack2x16float(w.x), unpack2x16float(w.y)), low)
          + dot(vec4f(unpack2x16float(w.z), unpack2x16float(w.w)), high);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    sums[r] = subgroupAdd(sums[r]);
  }
  if (NORM) {
    squares = subgroupAdd(squares);
  }
  if (TEAM > SUBGROUP) {
    let part = local.x / SUBGROUP;
    let parts = TEAM / SUBGROUP;
    if (local.x % SUBGROUP == 0u) {
      for (var r = 0u; r < ROWS; r++) {
        slots[part * ROWS + r] = sums[r];
      }
      square_slots[part] = squares;
    }
    workgroupBarrier();
    if (place < ROWS && row + place < params.rows) {
      var sum = 0.0;
      var all = 0.0;
      for (var p = 0u; p < parts; p++) {
        sum += slots[(team * parts + p) * ROWS + place];
        all += square_slots[team * parts + p];
      }
      output[row + place] = scaled(sum, all);
    }
    return;
  }
  if (place == 0u) {
    for (var r = 0u; r < ROWS && row + r < params.rows; r++) {
      output[row + r] = scaled(sums[r], squares);
    }
  }
}

fn scaled(sum: f32, squares: f32) -> f32 {
  if (NORM) {
    return sum * inverseSqrt(squares / f32(8u * params.depth8) + 1e-5);
  }
  return sum;
}
