// image_patches: cuts images into square patches, so that a strided convolution is a matrix product.
//
//   pixels   [images, channels, height, width]; what no whole patch covers is left out
//   patches  [images, lead + patch_rows * patch_columns, columns]: the first channels * side * side of a
//            row; the rest, and the `lead` rows before each image's patches (a class token's), are not
//            written
//
// An invocation copies one element. Dispatch ceil(elements / 64) workgroups, folded.

struct Params {
  elements: u32,
  channels: u32,
  patch_rows: u32,
  patch_columns: u32,
  side: u32, // of a patch, in pixels
  height: u32,
  width: u32,
  lead: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> pixels: array<f32>;
@group(0) @binding(1) var<storage, read_write> patches: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = (group.y * 65535u + group.x) * 64u + local.x;
  if (at >= params.elements) {
    return;
  }
  let side = params.side;
  let x = at % side;
  let y = at / side % side;
  let channel = at / (side * side) % params.channels;
  let cell = at / (side * side * params.channels);
  let column = cell % params.patch_columns;
  let row = cell / params.patch_columns % params.patch_rows;
  let image = cell / (params.patch_columns * params.patch_rows);
  let line = (image * params.channels + channel) * params.height + row * side + y;
  let to = (cell + (image + 1u) * params.lead) * params.columns + at % (params.channels * side * side);
  patches[to] = pixels[line * params.width + column * side + x];
}
