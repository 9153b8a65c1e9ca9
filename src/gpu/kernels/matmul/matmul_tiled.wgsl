// matmul_tiled: output = input × weightsᵀ, stored by a store_*.wgsl. Factors pass through shared
// memory. Concatenated after outer.wgsl, matmul_io.wgsl and a factor_*.wgsl.
//
// A workgroup of HIGH × WIDE owns a block of 4 HIGH TIMES rows by 4 WIDE TIMES columns of the product, 4 DEPTH4 of
// the depth at a time; an invocation owns TIMES² squares of 4 × 4. Factors are depth-major in vec4 of four
// rows or columns: an element of the depth reads 2 vec4 for 16 products, or 4 for 64. An invocation
// loads a square of 4 lines by 4 of the depth, transposes it in registers, and loads the next one before it
// multiplies. Places of a line are swizzled by XOR, against bank conflicts. Dispatch ceil(rows / square) *
// ceil(columns / square) workgroups, folded. LINES * DEPTH4 * 64 bytes of shared
// memory, half of it in f16.

override HIGH: u32 = 16;
override WIDE: u32 = 16;
override TIMES: u32 = 1; // 1 or 2
override DEPTH4: u32 = 8; // a power of two, LINES * DEPTH4 <= WORKGROUP
override WORKGROUP: u32 = 256; // HIGH * WIDE
override ROWS4: u32 = HIGH * TIMES; // vec4 of rows
override COLUMNS4: u32 = WIDE * TIMES;
override LINES: u32 = ROWS4 + COLUMNS4;
override FACTORS: u32 = 4u * DEPTH4 * LINES;

var<workgroup> factors: array<Factor4, FACTORS>; // rows, then columns

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = group.y * 65535u + group.x;
  let across = (params.columns + 4u * COLUMNS4 - 1u) / (4u * COLUMNS4);
  let row = index / across * 4u * ROWS4;
  let column = index % across * 4u * COLUMNS4;
  if (row >= params.rows) {
    return;
  }
  // Loading: four lines, four neighbours along the depth.
  let quad = local.x % DEPTH4;
  let line = local.x / DEPTH4;
  let is_row = line < ROWS4;
  let first = select(column + 4u * (line - ROWS4), row + 4u * line, is_row);
  // Computing.
  let ty = local.x / WIDE;
  let tx = local.x % WIDE;
  var upper_left: mat4x4f; // a column per row of the product
  var upper_right: mat4x4f;
  var lower_left: mat4x4f;
  var lower_right: mat4x4f;
  var square = load_square(first, quad, is_row);
  for (var k4 = 0u; k4 < params.depth4; k4 += DEPTH4) {
    workgroupBarrier();
    if (line < LINES) {
      for (var i = 0u; i < 4u; i++) {
        factors[(4u * quad + i) * LINES + (line ^ quad)] = to_factor(square[i]);
      }
    }
    workgroupBarrier();
    if (line < LINES) {
      square = load_square(first, k4 + DEPTH4 + quad, is_row);
    }
    for (var q = 0u; q < DEPTH4; q++) {
      for (var i = 0u; i < 4u; i++) {
        let k = (4u * q + i) * LINES;
        let upper = vec4f(factors[k + (ty ^ q)]);
        let left = vec4f(factors[k + ((ROWS4 + tx) ^ q)]);
        upper_left = add_outer(upper_left, upper, left);
        if (TIMES > 1u) {
          let lower = vec4f(factors[k + ((HIGH + ty) ^ q)]);
          let right = vec4f(factors[k + ((ROWS4 + WIDE + tx) ^ q)]);
          upper_right = add_outer(upper_right, upper, right);
          lower_left = add_outer(lower_left, lower, left);
          lower_right = add_outer(lower_right, lower, right);
        }
      }
    }
  }
  store_rows(row + 4u * ty, column + 4u * tx, upper_left);
  if (TIMES > 1u) {
    store_rows(row + 4u * ty, column + 4u * (WIDE + tx), upper_right);
    store_rows(row + 4u * (HIGH + ty), column + 4u * tx, lower_left);
    store_rows(row + 4u * (HIGH + ty), column + 4u * (WIDE + tx), lower_right);
  }
}

/// Four lines from `first` on, transposed: a column per element of the depth. 0 beyond the depth.
fn load_square(first: u32, k: u32, is_row: bool) -> mat4x4f {
  var square: mat4x4f;
  if (k < params.depth4) {
    for (var i = 0u; i < 4u; i++) {
      if (is_row) {
        square[i] = input[input_base(first + i) + k];
      } else {
        square[i] = w_at(weight_base(first + i), params.depth4, k);
      }
    }
  }
  return transpose(square);
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
