// tap_text_weights: TGV-KV's weight of each text row, as a factor per row and head of a block.
//
//   sums     [layers, keys] head-mean column sums over the text rows from the block's first one on
//   weights  [block rows, heads] sums[row] / (text rows - place of the row in the text)
//
// Only row i and later rows attend to row i. Blocks are processed from the last to the first, so all
// of these rows have been summed. One invocation per row and head. Dispatch ceil(rows * heads /
// WORKGROUP).

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  heads: u32,
  keys: u32, // padded to a multiple of 4
  rows: u32,
  row: u32,  // of the prompt, the block's first
  prompt_rows: u32,
}

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.rows * params.heads) {
    return;
  }
  let row = params.row + gid.x / params.heads;
  weights[gid.x] = sums[params.layer * params.keys + row] / f32(params.prompt_rows - row);
}
