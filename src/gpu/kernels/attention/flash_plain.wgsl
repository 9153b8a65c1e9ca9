// flash_plain: attention of a chunk of rows over one layer of the cache, with online softmax. No
// barriers, no shared memory, any head size. Concatenated after flash_io.wgsl.
//
// An invocation owns 4 rows of one head and processes 8 keys at a time. Dispatch ceil(rows / 4) *
// heads invocations, folded.

override WORKGROUP: u32 = 16;

const KEYS = 8u;

fn dot4(q: vec4f, k0: vec4f, k1: vec4f, k2: vec4f, k3: vec4f) -> vec4f {
  return vec4f(dot(q, k0), dot(q, k1), dot(q, k2), dot(q, k3));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = (group.y * 65535u + group.x) * WORKGROUP + local.x;
  let chunk = chunk_of(group.z);
  let head = unit % params.heads;
  let row = unit / params.heads * 4u;
  if (row >= chunk.rows) {
    return;
  }
  let kv_head = head / (params.heads / params.kv_heads);
  let region = table[chunk.layer * params.kv_heads + kv_head];
  let stride = params.heads * params.depth4;
  let q_base = (chunk.first + min(row + vec4u(0, 1, 2, 3), vec4u(chunk.rows - 1u))) * stride + head * params.depth4;
  let o_base = (chunk.first + row + vec4u(0, 1, 2, 3)) * stride + head * params.depth4;
  // Slots that each of the four rows sees.
  let visible = vec4u(
    visible_slots(region.y, row, chunk.rows),
    visible_slots(region.y, row + 1u, chunk.rows),
    visible_slots(region.y, row + 2u, chunk.rows),
    visible_slots(region.y, row + 3u, chunk.rows),
  );
  let last_slot = visible.w - 1u;

  var highest = vec4f(HIDDEN);
  var mass = vec4f();
  for (var slot = 0u; slot <= last_slot; slot += KEYS) {
    let first = region.x + min(slot + vec4u(0, 1, 2, 3), vec4u(last_slot));
    let second = region.x + min(slot + vec4u(4, 5, 6, 7), vec4u(last_slot));
    // One column per row of the chunk, one component per key.
    var s = masked(score(q_base, first), slot, visible);
    var t = masked(score(q_base, second), slot + 4u, visible);
    let now = max(highest, vec4f(peak(s[0], t[0]), peak(s[1], t[1]), peak(s[2], t[2]), peak(s[3], t[3])));
    let decay = exp(highest - now);
    highest = now;
    s = mat4x4f(exp(s[0] - now.x), exp(s[1] - now.y), exp(s[2] - now.z), exp(s[3] - now.w));
    t = mat4x4f(exp(t[0] - now.x), exp(t[1] - now.y), exp(t[2] - now.z), exp(t[3] - now.w));
    mass = mass * decay + vec4f(1.0) * (s + t);

    for (var d = 0u; d < params.depth4; d++) {
      let v = values4(first, d);
      let w = values4(second, d);
      var sums = mat4x4f();
      if (slot > 0u) {
        sums = mat4x4f(
          output[o_base.x + d] * decay.x,
          output[o_base.y + d] * decay.y,
          output[o_base.z + d] * decay.z,
          output[o_base.w + d] * decay.w,
        );
      }
      sums += v * s + w * t;
      output[o_base.x + d] = sums[0];
      output[o_base.y + d] = sums[1];
      output[o_base.z + d] = sums[2];
      output[o_base.w + d] = sums[3];
    }
  }
  finish(chunk, row, head, o_base.x, highest.x, mass.x);
  finish(chunk, row + 1u, head, o_base.y, highest.y, mass.y);
  finish(chunk, row + 2u, head, o_base.z, highest.z, mass.z);
  finish(chunk, row + 3u, head, o_base.w, highest.w, mass.w);
}

/// Scores of four rows (columns), whose queries begin at `q`, against the keys of four rows (components), not scaled.
fn score(q: vec4u, k: vec4u) -> mat4x4f {
  let r0 = kv_row(k.x);
  let r1 = kv_row(k.y);
  let r2 = kv_row(k.z);
  let r3 = kv_row(k.w);
  var s = mat4x4f();
  for (var d = 0u; d < params.depth4; d++) {
    let k0 = keys_at(r0, d);
    let k1 = keys_at(r1, d);
    let k2 = keys_at(r2, d);
    let k3 = keys_at(r3, d);
    s += mat4x4f(
      dot4(queries[q.x + d], k0, k1, k2, k3),
      dot4(queries[q.y + d], k0, k1, k2, k3),
      dot4(queries[q.z + d], k0, k1, k2, k3),
      dot4(queries[q.w + d], k0, k1, k2, k3),
    );
  }
  return s;
}

fn values4(rows: vec4u, d: u32) -> mat4x4f {
  return mat4x4f(
    values_at(kv_row(rows.x), d),
    values_at(kv_row(rows.y), d),
    values_at(kv_row(rows.z), d),
    values_at(kv_row(rows.w), d),
  );
}

/// Scales the scores and masks slots that a row does not see.
fn masked(scores: mat4x4f, slot: u32, visible: vec4u) -> mat4x4f {
  let slots = slot + vec4u(0, 1, 2, 3);
  let scaled = scores * params.scale;
  return mat4x4f(
    select(vec4f(HIDDEN), scaled[0], slots < vec4u(visible.x)),
    select(vec4f(HIDDEN), scaled[1], slots < vec4u(visible.y)),
    select(vec4f(HIDDEN), scaled[2], slots < vec4u(visible.z)),
    select(vec4f(HIDDEN), scaled[3], slots < vec4u(visible.w)),
  );
}

fn peak(a: vec4f, b: vec4f) -> f32 {
  let m = max(a, b);
  return max(max(m.x, m.y), max(m.z, m.w));
}
