// tap_dct: the lowest coefficients of a DCT-II along the rows of one layer's keys or values.
//
//   spans         [layers, kv_heads] (row of the first key, rows, lead, 0)
//   cache         the layer's keys or values
//   cosines       [4 * rows] cos(pi * i / (2 * rows)): a table, exact for the repeating angles
//   coefficients  [kept, kv_heads, KV_DEPTH4] scaled so that tap_low_pass needs no factor
//
// One invocation per coefficient and vec4. Dispatch (ceil(kv_heads * KV_DEPTH4 / WORKGROUP), kept).
// Follows kv_*.wgsl.

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  kv_heads: u32,
  rows: u32,
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<KvUnit>;
@group(0) @binding(2) var<storage, read> cosines: array<f32>;
@group(0) @binding(3) var<storage, read_write> coefficients: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let width = params.kv_heads * KV_DEPTH4;
  if (gid.x >= width) {
    return;
  }
  let span = spans[params.layer * params.kv_heads + gid.x / KV_DEPTH4];
  let frequency = gid.y;
  let period = 4u * params.rows;
  var angle = frequency; // (2 row + 1) * frequency, modulo the period
  var sum = vec4f(0.0);
  for (var row = 0u; row < params.rows; row++) {
    sum += cosines[angle] * cache_at(kv_row(span.x + row), gid.x % KV_DEPTH4);
    angle = (angle + 2u * frequency) % period;
  }
  let scale = select(2.0, 1.0, frequency == 0u) / f32(params.rows);
  coefficients[frequency * width + gid.x] = scale * sum;
}
