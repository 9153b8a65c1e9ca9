// tap_row_strong: per row and head of a block of probabilities, the number of entries that reach a
// share of the row's maximum (VL-Cache's sparsity counts the others).
//
//   spans          [layers, kv_heads] (row of the first key, keys, lead, 0): row r sees keys <= lead + r
//   probabilities  [block rows, heads, keys_vec4]
//   strong         u32 [block rows, heads]
//
// A unit of work is one (row, head). Dispatch `unitGroups(reduction, rows * heads)`. Follows
// reduction_*.wgsl.

struct Params {
  layer: u32,
  heads: u32,
  kv_heads: u32,
  keys_vec4: u32,
  rows: u32,
  row: u32, // of the prompt, the block's first
  threshold: f32,
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> probabilities: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> strong: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = unit_index(group, local);
  let inside = index < params.rows * params.heads;
  let row = params.row + index / params.heads;
  let kv_head = (index % params.heads) / (params.heads / params.kv_heads);

  var visible = 0u;
  if (inside) {
    let span = spans[params.layer * params.kv_heads + kv_head];
    visible = min(span.y, span.z + row + 1u);
  }
  let first = reduction_index(local);
  var largest = vec4f(0.0);
  for (var key = first; key * 4u < visible; key += REDUCTION_WIDTH) {
    largest = max(largest, probabilities[index * params.keys_vec4 + key]);
  }
  largest = reduce_max4(largest, local);
  let bar = params.threshold * max(max(largest.x, largest.y), max(largest.z, largest.w));

  var count = vec4f(0.0); // whole numbers far below 2^24
  for (var key = first; key * 4u < visible; key += REDUCTION_WIDTH) {
    let counts = key * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(visible);
    let reaches = probabilities[index * params.keys_vec4 + key] >= vec4f(bar);
    count += select(vec4f(0.0), vec4f(1.0), counts & reaches);
  }
  count = reduce_add4(count, local);
  if (inside && first == 0u) {
    strong[index] = u32(dot(count, vec4f(1.0)));
  }
}
