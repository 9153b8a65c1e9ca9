// matmul_tiled: output = input × weightsᵀ, stored by a store_*.wgsl. Tiles in shared memory.
// Concatenated after matmul_io.wgsl.
//
// A workgroup of SIDE × SIDE owns 4 SIDE TALL rows by 4 SIDE columns of the product and processes the
// depth in steps of 4 DEPTH4; an invocation owns TALL times 4 × 4. Tiles are depth-major in vec4 of four
// rows or columns: a step of the depth reads one vec4 of columns and TALL of rows for 16 TALL products.
// An invocation loads a block of 4 rows by 4 of the depth, transposes it in registers, and loads the
// next one before it multiplies. Places of a line are swizzled by XOR, against bank conflicts. Dispatch
// ceil(rows / tile) * ceil(columns / tile) workgroups, folded. (TALL + 1) * SIDE * DEPTH4 * 64 bytes
// of shared memory.

override SIDE: u32 = 16;
override TALL: u32 = 1; // 1 or 2
override DEPTH4: u32 = 8; // (TALL + 1) * DEPTH4 <= SIDE, a power of two
override WORKGROUP: u32 = 256; // SIDE * SIDE
override GROUPS: u32 = SIDE * TALL; // vec4 of rows

var<workgroup> tile_a: array<vec4f, 4u * DEPTH4 * GROUPS>;
var<workgroup> tile_b: array<vec4f, 4u * DEPTH4 * SIDE>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let tile = group.y * 65535u + group.x;
  let tiles_across = (params.columns + 4u * SIDE - 1u) / (4u * SIDE);
  let row = tile / tiles_across * 4u * GROUPS;
  let column = tile % tiles_across * 4u * SIDE;
  if (row >= params.rows) {
    return;
  }
  // Loading: four lines, four neighbours along the depth.
  let quad = local.x % DEPTH4;
  let lines = local.x / DEPTH4;
  let is_row = lines < GROUPS;
  let first = select(column + 4u * (lines - GROUPS), row + 4u * lines, is_row);
  // Computing: TALL times 4 × 4.
  let ty = local.x / SIDE;
  let tx = local.x % SIDE;
  var low: mat4x4f; // a column per row of the product
  var high: mat4x4f;
  var block = load_block(first, quad, is_row);
  for (var k4 = 0u; k4 < params.depth4; k4 += DEPTH4) {
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      if (is_row) {
        tile_a[(4u * quad + i) * GROUPS + (lines ^ quad)] = block[i];
      } else if (lines < GROUPS + SIDE) {
        tile_b[(4u * quad + i) * SIDE + ((lines - GROUPS) ^ quad)] = block[i];
      }
    }
    workgroupBarrier();
    block = load_block(first, k4 + DEPTH4 + quad, is_row);
    for (var q = 0u; q < DEPTH4; q++) {
      for (var i = 0u; i < 4u; i++) {
        let k = 4u * q + i;
        let b = tile_b[k * SIDE + (tx ^ q)];
        low += outer(tile_a[k * GROUPS + (ty ^ q)], b);
        if (TALL > 1u) {
          high += outer(tile_a[k * GROUPS + ((SIDE + ty) ^ q)], b);
        }
      }
    }
  }
  store_rows(row + 4u * ty, column + 4u * tx, low);
  if (TALL > 1u) {
    store_rows(row + 4u * (SIDE + ty), column + 4u * tx, high);
  }
}

/// Four lines from `first` on, transposed: a column per element of the depth. 0 beyond the depth.
fn load_block(first: u32, k: u32, is_row: bool) -> mat4x4f {
  var block: mat4x4f;
  if (k < params.depth4) {
    for (var i = 0u; i < 4u; i++) {
      if (is_row) {
        block[i] = input[input_base(first + i) + k];
      } else {
        block[i] = w_at(weight_base(first + i), params.depth4, k);
      }
    }
  }
  return transpose(block);
}

fn outer(a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(a.x * b, a.y * b, a.z * b, a.w * b);
}

fn store_rows(row: u32, column: u32, sums: mat4x4f) {
  if (column >= params.columns) {
    return;
  }
  let count = min(4u, params.columns - column);
  for (var i = 0u; i < 4u && row + i < params.rows; i++) {
    store4(row + i, column, count, sums[i]);
  }
}
