// matmul_tiled: output = input × weightsᵀ, stored by a store_*.wgsl. Tiles in shared memory.
// Concatenated after matmul_io.wgsl.
//
// A workgroup of 16 × 16 owns 64 rows by 64 columns of the product and processes the depth in steps
// of 16; an invocation owns 4 × 4. Tiles are depth-major, so each step of the depth reads one vec4
// of rows and one of columns. Dispatch ceil(rows / 64) * ceil(columns / 64) workgroups, folded. 8
// KiB of shared memory.

const TILE = 64u;
const DEPTH = 16u;

var<workgroup> tile_a: array<array<f32, TILE>, DEPTH>;
var<workgroup> tile_b: array<array<f32, TILE>, DEPTH>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let tile = group.y * 65535u + group.x;
  let tiles_across = (params.columns + TILE - 1u) / TILE;
  let row = tile / tiles_across * TILE;
  let column = tile % tiles_across * TILE;
  if (row >= params.rows) {
    return;
  }
  // Loading: four neighbours along the depth, of one row and of one column.
  let line = local.x / 4u;
  let quad = local.x % 4u;
  let a_base = input_base(row + line);
  let b_base = weight_base(column + line);
  // Computing: 4 × 4.
  let ty = local.x / 16u * 4u;
  let tx = local.x % 16u * 4u;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  for (var k4 = 0u; k4 < params.depth4; k4 += DEPTH / 4u) {
    var a = vec4f();
    var b = vec4f();
    if (k4 + quad < params.depth4) {
      a = input[a_base + k4 + quad];
      b = w_unpack(weights[b_base + k4 + quad]);
    }
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      tile_a[quad * 4u + i][line] = a[i];
      tile_b[quad * 4u + i][line] = b[i];
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let bk = vec4f(tile_b[k][tx], tile_b[k][tx + 1u], tile_b[k][tx + 2u], tile_b[k][tx + 3u]);
      s0 += tile_a[k][ty] * bk;
      s1 += tile_a[k][ty + 1u] * bk;
      s2 += tile_a[k][ty + 2u] * bk;
      s3 += tile_a[k][ty + 3u] * bk;
    }
  }
  if (column + tx >= params.columns) {
    return;
  }
  let sums = array<vec4f, 4>(s0, s1, s2, s3);
  let count = min(4u, params.columns - column - tx);
  for (var i = 0u; i < 4u && row + ty + i < params.rows; i++) {
    store4(row + ty + i, column + tx, count, sums[i]);
  }
}
