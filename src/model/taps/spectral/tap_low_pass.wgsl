// tap_low_pass: distance of each row of one layer's keys or values from the low-pass along the
// rows.
//
//   spans         [layers, kv_heads] (row of the first key, rows, lead, 0)
//   cache         the layer's keys or values
//   cosines       [4 * rows] cos(pi * i / (2 * rows))
//   coefficients  [kept, kv_heads, KV_DEPTH4] of tap_dct
//   squares       [kv_heads, rows] (squared distance from the low-pass, squared length)
//
// One invocation per row and KV head. Dispatch (ceil(rows / WORKGROUP), kv_heads). Follows
// kv_*.wgsl.

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  kv_heads: u32,
  rows: u32,
  kept: u32,
}

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;
@group(0) @binding(1) var<storage, read> cache: array<KvUnit>;
@group(0) @binding(2) var<storage, read> cosines: array<f32>;
@group(0) @binding(3) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> squares: array<vec2f>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.rows) {
    return;
  }
  let span = spans[params.layer * params.kv_heads + gid.y];
  let period = 4u * params.rows;
  let row = kv_row(span.x + gid.x);
  var total = vec2f(0.0);
  for (var d = 0u; d < KV_DEPTH4; d++) {
    let value = cache_at(row, d);
    var low = vec4f(0.0);
    var angle = 0u; // (2 row + 1) * frequency, modulo the period
    for (var frequency = 0u; frequency < params.kept; frequency++) {
      let at = (frequency * params.kv_heads + gid.y) * KV_DEPTH4 + d;
      low += cosines[angle] * coefficients[at];
      angle = (angle + 2u * gid.x + 1u) % period;
    }
    let high = value - low;
    total += vec2f(dot(high, high), dot(value, value));
  }
  squares[gid.y * params.rows + gid.x] = total;
}
