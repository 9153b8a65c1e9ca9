// tap_elite_select: the elite rows of one layer (AirCache): text rows whose share of the last row's
// text attention is at least alpha times the largest.
//
//   shares   [layers, units, keys] the last row's attention to each text row, renormalised over the text
//   gates    [units, tail rows] 1 for elite rows, 0 otherwise
//   counted  [units, keys] 1 for the elite rows among the keys, 0 for other text rows
//   chosen   u32 [layers, units, text rows] 1 for elite rows
//
// One invocation decides one text row; each computes the maximum over a few dozen rows itself.
// Dispatch (ceil(text rows / WORKGROUP), units).

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  units: u32,
  keys: u32,      // padded to a multiple of 4
  text_start: u32,
  text_rows: u32,
  tail_row: u32,  // of the first text row
  tail_rows: u32,
  alpha: f32,
}

@group(0) @binding(0) var<storage, read> shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> gates: array<f32>;
@group(0) @binding(2) var<storage, read_write> counted: array<f32>;
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.text_rows) {
    return;
  }
  let text = gid.y * params.keys + params.text_start;
  let share = params.layer * params.units * params.keys + text;
  var largest = 0.0;
  for (var row = 0u; row < params.text_rows; row++) {
    largest = max(largest, shares[share + row]);
  }
  let is_elite = shares[share + gid.x] >= params.alpha * largest;
  let flag = select(0.0, 1.0, is_elite);
  gates[gid.y * params.tail_rows + params.tail_row + gid.x] = flag;
  counted[text + gid.x] = flag;
  chosen[(params.layer * params.units + gid.y) * params.text_rows + gid.x] = u32(flag);
}
