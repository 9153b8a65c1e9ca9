// matmul_trial: output = input × weightsᵀ in tiles of shared memory, 8 × 8 products per invocation.
//
//   input    [rows, depth4] vec4
//   weights  [columns, depth4] vec2u: four f16 numbers each
//   output   [rows, columns] f32
//
// A workgroup of HIGH × WIDE invocations owns 8 HIGH rows by 8 WIDE columns. Tiles are depth-major in vec4 of
// four rows or columns. An invocation loads BLOCKS blocks of 4 lines by 4 of the depth at most, transposes
// them in registers, and loads the next ones before it multiplies. rows, columns: multiples of the tile.

struct Params {
  rows: u32,
  columns: u32,
  depth4: u32,
}

override HIGH: u32 = 16;
override WIDE: u32 = 16;
override DEPTH4: u32 = 4;
override WORKGROUP: u32 = 256; // HIGH * WIDE
override LINES: u32 = 2u * (HIGH + WIDE); // vec4 of rows, then of columns
override BLOCKS: u32 = 1; // ceil(LINES * DEPTH4 / WORKGROUP), at most 2

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> tile: array<vec4f, 4u * DEPTH4 * LINES>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = group.y * 65535u + group.x;
  let across = params.columns / (8u * WIDE);
  let row = index / across * 8u * HIGH;
  let column = index % across * 8u * WIDE;
  let ty = local.x / WIDE;
  let tx = local.x % WIDE;
  var a: mat4x4f; // upper rows, left columns
  var b: mat4x4f; // upper, right
  var c: mat4x4f; // lower, left
  var d: mat4x4f; // lower, right
  var blocks: array<mat4x4f, 2>;
  for (var i = 0u; i < BLOCKS; i++) {
    blocks[i] = load_block(row, column, local.x + i * WORKGROUP, 0u);
  }
  for (var k4 = 0u; k4 < params.depth4; k4 += DEPTH4) {
    workgroupBarrier();
    for (var i = 0u; i < BLOCKS; i++) {
      let block = local.x + i * WORKGROUP;
      let quad = block % DEPTH4;
      if (block < LINES * DEPTH4) {
        for (var j = 0u; j < 4u; j++) {
          tile[(4u * quad + j) * LINES + ((block / DEPTH4) ^ quad)] = blocks[i][j];
        }
      }
    }
    workgroupBarrier();
    for (var i = 0u; i < BLOCKS; i++) {
      blocks[i] = load_block(row, column, local.x + i * WORKGROUP, k4 + DEPTH4);
    }
    for (var q = 0u; q < DEPTH4; q++) {
      for (var j = 0u; j < 4u; j++) {
        let line = (4u * q + j) * LINES;
        let upper = tile[line + (ty ^ q)];
        let lower = tile[line + ((HIGH + ty) ^ q)];
        let left = tile[line + ((2u * HIGH + tx) ^ q)];
        let right = tile[line + ((2u * HIGH + WIDE + tx) ^ q)];
        a = add_outer(a, upper, left);
        b = add_outer(b, upper, right);
        c = add_outer(c, lower, left);
        d = add_outer(d, lower, right);
      }
    }
  }
  let to = column / 4u + tx;
  for (var i = 0u; i < 4u; i++) {
    let high = (row + 4u * ty + i) * (params.columns / 4u) + to;
    let low = (row + 4u * (HIGH + ty) + i) * (params.columns / 4u) + to;
    output[high] = a[i];
    output[high + WIDE] = b[i];
    output[low] = c[i];
    output[low + WIDE] = d[i];
  }
}

/// Block of the tile: four lines, four of the depth, transposed. 0 beyond the depth.
fn load_block(row: u32, column: u32, block: u32, k4: u32) -> mat4x4f {
  let k = k4 + block % DEPTH4;
  let line = block / DEPTH4;
  var loaded: mat4x4f;
  if (k < params.depth4 && line < LINES) {
    for (var i = 0u; i < 4u; i++) {
      if (line < 2u * HIGH) {
        loaded[i] = input[(row + 4u * line + i) * params.depth4 + k];
      } else {
        let w = weights[(column + 4u * (line - 2u * HIGH) + i) * params.depth4 + k];
        loaded[i] = vec4f(unpack2x16float(w.x), unpack2x16float(w.y));
      }
    }
  }
  return transpose(loaded);
}

fn add_outer(sum: mat4x4f, x: vec4f, y: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(x.x), y, sum[0]),
    fma(vec4f(x.y), y, sum[1]),
    fma(vec4f(x.z), y, sum[2]),
    fma(vec4f(x.w), y, sum[3]),
  );
}
