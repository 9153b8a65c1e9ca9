// attend_split_plain: attention of one row over a split of a cached head; attend_combine combines
// the splits. No barriers, no shared memory, any head size. Concatenated after attend_io.wgsl.
//
//   queries        [heads, depth4] vec4, rotated
//   keys, values   one layer of the cache; a row is depth4 vec4 long
//
// An invocation owns one head and SPLIT slots. Dispatch (splits of the capacity) * heads
// invocations; those beyond the rows in use return at once.

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(2) var<storage, read> values: array<KvUnit>;
@group(0) @binding(6) var<uniform> params: Params;

override WORKGROUP: u32 = 16;

const SPLIT = 32u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = (group.y * 65535u + group.x) * WORKGROUP + local.x;
  let head = unit % params.heads;
  let first = unit / params.heads * SPLIT;
  let kv_head = head / (params.heads / params.kv_heads);
  let region = table[params.layer * params.kv_heads + kv_head];
  if (unit >= params.units || first > region.y) {
    return;
  }
  let last = min(first + SPLIT - 1u, region.y);
  let query = head * params.depth4;

  // Scores, four slots at a time.
  var scores: array<vec4f, SPLIT / 4u>;
  var highest = vec4f(HIDDEN);
  for (var i = 0u; i < SPLIT / 4u; i++) {
    let slots = first + 4u * i + vec4u(0, 1, 2, 3);
    let row = region.x + min(slots, vec4u(last));
    let r0 = kv_row(row.x);
    let r1 = kv_row(row.y);
    let r2 = kv_row(row.z);
    let r3 = kv_row(row.w);
    var score = vec4f();
    for (var d = 0u; d < params.depth4; d++) {
      let q = queries[query + d];
      score += vec4f(
        dot(q, keys_at(r0, d)),
        dot(q, keys_at(r1, d)),
        dot(q, keys_at(r2, d)),
        dot(q, keys_at(r3, d)),
      );
    }
    scores[i] = select(vec4f(HIDDEN), score * params.scale, slots <= vec4u(last));
    highest = max(highest, scores[i]);
  }
  let peak = max(max(highest.x, highest.y), max(highest.z, highest.w));
  var mass = vec4f();
  for (var i = 0u; i < SPLIT / 4u; i++) {
    scores[i] = exp(scores[i] - peak);
    mass += scores[i];
  }
  stats[2u * unit] = peak;
  stats[2u * unit + 1u] = dot(mass, vec4f(1.0));

  for (var d = 0u; d < params.depth4; d++) {
    var sum = vec4f();
    for (var i = 0u; i < SPLIT / 4u; i++) {
      let slots = min(first + 4u * i + vec4u(0, 1, 2, 3), vec4u(last));
      let row = region.x + slots;
      let weight = scores[i];
      sum += weight.x * values_at(kv_row(row.x), d) + weight.y * values_at(kv_row(row.y), d)
        + weight.z * values_at(kv_row(row.z), d) + weight.w * values_at(kv_row(row.w), d);
    }
    partials[unit * params.depth4 + d] = sum;
  }
}
