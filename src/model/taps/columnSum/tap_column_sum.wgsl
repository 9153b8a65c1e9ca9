// tap_column_sum: column sums without barriers or shared memory. Concatenated after column_sum_io.wgsl.
//
// An invocation owns four keys of one KV head and one split of the chunk's queries, and compares
// them with BLOCK queries at a time: 10 vec4 loads feed 24 products, held in matrices because
// software adapters do not keep arrays in registers. Dispatch (ceil(keys / (4 * WORKGROUP)), kv_heads,
// splits).

override WORKGROUP: u32 = 32;

const BLOCK = 6u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let keys_vec4 = (params.keys + 3u) / 4u;
  let span = spans[params.layer * params.kv_heads + gid.y];
  let key = gid.x * 4u;
  if (key >= span.y) {
    return;
  }
  let keys = key + vec4u(0u, 1u, 2u, 3u);
  let last_key = min(keys, vec4u(span.y - 1u));
  let at0 = kv_row(span.x + last_key.x);
  let at1 = kv_row(span.x + last_key.y);
  let at2 = kv_row(span.x + last_key.z);
  let at3 = kv_row(span.x + last_key.w);

  // Rows of the chunk, of this split, that see the first of the four keys.
  let hidden = i32(key) - i32(span.z) - i32(params.first_row);
  let first = max(params.rows * gid.z / params.splits, u32(max(hidden, 0)));
  let end = params.rows * (gid.z + 1u) / params.splits;
  let group = params.heads / params.kv_heads;

  var total = vec4f();
  for (var row = first; row < end; row += BLOCK) {
    let front = row + vec4u(0u, 1u, 2u, 3u);
    let back = row + vec2u(4u, 5u);
    // End of the keys that each row sees; rows beyond the split see none.
    let lead = span.z + params.first_row + 1u;
    let front_ends = select(vec4u(), min(vec4u(span.y), lead + front), front < vec4u(end));
    let back_ends = select(vec2u(), min(vec2u(span.y), lead + back), back < vec2u(end));
    let front_weights = weights(vec4f(front));
    let back_weights = weights(vec4f(vec2f(back), 0.0, 0.0));
    for (var head = gid.y * group; head < (gid.y + 1u) * group; head++) {
      let p = min(front, vec4u(end - 1u)) * params.heads + head;
      let o = min(back, vec2u(end - 1u)) * params.heads + head;
      let q = p * KV_DEPTH4;
      let r = o * KV_DEPTH4;
      // Products of six queries (columns) with four keys (components).
      var s = mat4x4f();
      var t = mat2x4f();
      for (var d = 0u; d < KV_DEPTH4; d++) {
        let k = mat4x4f(
          cache_at(at0, d),
          cache_at(at1, d),
          cache_at(at2, d),
          cache_at(at3, d),
        );
        s += mat4x4f(
          queries[q.x + d] * k,
          queries[q.y + d] * k,
          queries[q.z + d] * k,
          queries[q.w + d] * k,
        );
        t += mat2x4f(queries[r.x + d] * k, queries[r.y + d] * k);
      }
      s *= params.scale;
      t *= params.scale;
      total += select(vec4f(), front_weights.x * exp(s[0] - lse[p.x]), keys < vec4u(front_ends.x));
      total += select(vec4f(), front_weights.y * exp(s[1] - lse[p.y]), keys < vec4u(front_ends.y));
      total += select(vec4f(), front_weights.z * exp(s[2] - lse[p.z]), keys < vec4u(front_ends.z));
      total += select(vec4f(), front_weights.w * exp(s[3] - lse[p.w]), keys < vec4u(front_ends.w));
      total += select(vec4f(), back_weights.x * exp(t[0] - lse[o.x]), keys < vec4u(back_ends.x));
      total += select(vec4f(), back_weights.y * exp(t[1] - lse[o.y]), keys < vec4u(back_ends.y));
    }
  }
  let plane = (params.layer * params.splits + gid.z) * params.kv_heads + gid.y;
  sums[plane * keys_vec4 + gid.x] += total / f32(group);
}
