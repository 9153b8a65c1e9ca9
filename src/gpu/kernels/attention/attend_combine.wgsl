// attend_combine: combines the splits of attend_split into the attention of one row. For
// reduction_workgroup and reduction_subgroup. Concatenated after attend_span.wgsl.
//
//   table     [layers, kv_heads] vec4u: offset, rows before this one, capacity, flat offset
//   partials  [splits, heads, depth4] vec4, stats [splits, heads] vec2: see attend_io.wgsl
//   output    [heads, depth4] vec4
//   lse       [heads] natural log of the sum of exponentials of the scaled scores
//
// A unit of work is a head; several splits of all its vec4 are added side by side, the first of them loaded
// before the weights are known. Dispatch `heads` units.

struct Params {
  heads: u32,
  kv_heads: u32,
  depth4: u32,
  layer: u32,
  wanted: u32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4u>;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const AHEAD = 4u; // partial sums that an invocation loads at a time

var<workgroup> sums: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let head = unit_index(group, local);
  if (head >= params.heads) {
    return;
  }
  let kv_head = head / (params.heads / params.kv_heads);
  let rows = table[params.layer * params.kv_heads + kv_head].y + 1u;
  let span = span_of(rows, params.wanted);
  let splits = (rows + span - 1u) / span;
  // `depth4` neighbouring invocations take every `stripes`-th split.
  let depth4 = params.depth4;
  let stripes = WORKGROUP / depth4;
  let first = local.x / depth4;
  let column = head * depth4 + local.x % depth4;
  var loaded = load_partials(first, stripes, splits, column);
  var peak = stats[head].x;
  for (var split = local.x; split < splits; split += WORKGROUP) {
    peak = max(peak, stats[split * params.heads + head].x);
  }
  peak = reduce_max4(vec4f(peak), local).x;
  var mass = 0.0;
  for (var split = local.x; split < splits; split += WORKGROUP) {
    let stat = stats[split * params.heads + head];
    mass += exp(stat.x - peak) * stat.y;
  }
  mass = reduce_add4(vec4f(mass), local).x;

  var sum = vec4f();
  if (first < stripes) {
    for (var split = first; split < splits; split += AHEAD * stripes) {
      let current = loaded;
      loaded = load_partials(split + AHEAD * stripes, stripes, splits, column);
      for (var i = 0u; i < AHEAD; i++) {
        let at = split + i * stripes;
        if (at < splits) {
          sum += exp(stats[at * params.heads + head].x - peak) * current[i];
        }
      }
    }
  }
  sums[local.x] = sum;
  workgroupBarrier();
  if (local.x < depth4) {
    for (var stripe = 1u; stripe < stripes; stripe++) {
      sum += sums[stripe * depth4 + local.x];
    }
    output[head * depth4 + local.x] = sum / mass;
  }
  if (local.x == 0u) {
    lse[head] = peak + log(mass);
  }
}

/// Partial sums of AHEAD splits from `split` on, `stripes` apart; the last one stands for those beyond.
fn load_partials(split: u32, stripes: u32, splits: u32, column: u32) -> array<vec4f, AHEAD> {
  var loaded: array<vec4f, AHEAD>;
  for (var i = 0u; i < AHEAD; i++) {
    let at = min(split + i * stripes, splits - 1u);
    loaded[i] = partials[at * params.heads * params.depth4 + column];
  }
  return loaded;
}
