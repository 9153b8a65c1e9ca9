// head_norm: normalises every query and key of a fused projection over its head, in place:
// x / rms(x) * weight. Vision encoders take all queries of a row as one head; decoders normalise while they rotate
// (rope_append).
//
//   qkv      [rows, all_heads, depth4] vec4: query heads, key heads, value heads
//   weights  [2, depth4] vec4: of queries, of keys
//
// A unit of work is one head of one row. Dispatch rows * (heads + kv_heads) units (see
// reduction_one.wgsl).

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  depth4: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let normed_heads = params.heads + params.kv_heads;
  let row = unit / normed_heads;
  if (row >= params.rows) {
    return;
  }
  let head = unit % normed_heads;
  let first = (row * (normed_heads + params.kv_heads) + head) * params.depth4;
  var squares = vec4f();
  for (var k = reduction_index(local); k < params.depth4; k += REDUCTION_WIDTH) {
    let value = qkv[first + k];
    squares += value * value;
  }
  let mean = dot(reduce_add4(squares, local), vec4f(0.25)) / f32(params.depth4);
  let scale = inverseSqrt(mean + params.epsilon);
  let weight = select(0u, params.depth4, head >= params.heads);
  for (var k = reduction_index(local); k < params.depth4; k += REDUCTION_WIDTH) {
    qkv[first + k] *= scale * weights[weight + k];
  }
}
