// tap_column_sum_tiled: column sums as a product through shared memory. Concatenated after outer.wgsl and
// column_sum_io.wgsl.
//
// A workgroup of 128 owns 64 keys of one KV head and a split of the blocks of 64 rows of one query head that
// see them. An invocation owns 8 rows (two groups of four) by 4 keys of the scores: an element of the depth reads
// 3 vec4 for 32 products. Rows and keys pass through shared memory 16 elements at a time, depth-major in vec4
// of four. Sums over rows stay in registers; invocations meet once, at the end. Dispatch (ceil(keys / 64),
// kv_heads, splits). Shared memory: 8 KiB.

override WORKGROUP: u32 = 128;

const BLOCK = 64u; // rows, and keys
const HIGH = 8u; // groups of four rows that an invocation's two are apart
const LINES = 32u; // groups of four: 16 of rows, 16 of keys
const HELD = 16u; // elements of the depth in shared memory
const FACTORS = HELD * LINES;

var<workgroup> factors: array<vec4f, FACTORS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let span = spans[params.layer * params.kv_heads + group.y];
  let first_key = group.x * BLOCK;
  if (first_key >= span.y) {
    return;
  }
  let tx = local.x % 16u;
  let ty = local.x / 16u;
  let key = first_key + 4u * tx;
  let heads = params.heads / params.kv_heads;
  // Blocks of the chunk that see the first of the keys, each with every head; this split's part of them.
  let lead = i32(span.z) + i32(params.first_row);
  let hidden = min(u32(max(i32(first_key) - lead, 0)), params.rows) / BLOCK;
  let units = ((params.rows + BLOCK - 1u) / BLOCK - hidden) * heads;
  var total = vec4f();
  for (var unit = units * group.z / params.splits; unit < units * (group.z + 1u) / params.splits; unit++) {
    let head = group.y * heads + unit % heads;
    let row = (hidden + unit / heads) * BLOCK;
    var low = mat4x4f();
    var high = mat4x4f();
    for (var d = 0u; d < KV_DEPTH4; d += HELD / 4u) {
      workgroupBarrier();
      load(span, first_key, head, row, d, local.x);
      workgroupBarrier();
      for (var k = 0u; k < HELD; k++) {
        let swizzle = k / 4u;
        let keys = factors[k * LINES + ((16u + tx) ^ swizzle)];
        low = add_outer(low, factors[k * LINES + (ty ^ swizzle)], keys);
        high = add_outer(high, factors[k * LINES + ((HIGH + ty) ^ swizzle)], keys);
      }
    }
    total += sum_rows(span, head, row + 4u * ty, key, low);
    total += sum_rows(span, head, row + 4u * (HIGH + ty), key, high);
  }
  workgroupBarrier();
  factors[local.x] = total;
  workgroupBarrier();
  let keys_vec4 = (params.keys + 3u) / 4u;
  if (ty > 0u || key / 4u >= keys_vec4) {
    return;
  }
  for (var i = 1u; i < HIGH; i++) {
    total += factors[16u * i + tx];
  }
  let plane = (params.layer * params.splits + group.z) * params.kv_heads + group.y;
  sums[plane * keys_vec4 + key / 4u] += total / f32(heads);
}

/// Weighted attention of four rows (columns of the scores) to four keys (components), summed over the rows.
fn sum_rows(span: vec4u, head: u32, row: u32, key: u32, scores: mat4x4f) -> vec4f {
  let rows = row + vec4u(0u, 1u, 2u, 3u);
  let counted = weights(vec4f(rows));
  let ends = select(
    vec4u(),
    min(vec4u(span.y), span.z + params.first_row + 1u + rows),
    rows < vec4u(params.rows),
  );
  let keys = key + vec4u(0u, 1u, 2u, 3u);
  var total = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let peak = lse[min(rows[i], params.rows - 1u) * params.heads + head];
    total += select(vec4f(), counted[i] * exp(scores[i] - peak), keys < vec4u(ends[i]));
  }
  return total;
}

/// Loads 16 elements of the depth of 64 rows and 64 keys; each invocation transposes a square of 4 × 4.
fn load(span: vec4u, key: u32, head: u32, row: u32, d: u32, place: u32) {
  let quad = place % 4u;
  let line = place / 4u;
  let at = d + quad;
  var loaded = mat4x4f();
  for (var i = 0u; i < 4u && at < KV_DEPTH4; i++) {
    if (line < 16u) {
      let source = min(row + 4u * line + i, params.rows - 1u);
      loaded[i] = queries[(source * params.heads + head) * KV_DEPTH4 + at] * params.scale;
    } else {
      let source = span.x + min(key + 4u * (line - 16u) + i, span.y - 1u);
      loaded[i] = cache_at(kv_row(source), at);
    }
  }
  let turned = transpose(loaded);
  for (var i = 0u; i < 4u; i++) {
    factors[(4u * quad + i) * LINES + (line ^ quad)] = turned[i];
  }
}
