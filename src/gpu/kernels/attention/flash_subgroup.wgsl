// flash_subgroup: attention of a chunk of rows over one layer of the cache, with online softmax. No
// barriers, no shared memory, any head size; needs `enable subgroups`. Concatenated after
// flash_io.wgsl.
//
// A workgroup owns 4 * WORKGROUP rows of one head, an invocation 4 of them. All take the same 8 keys at a time: each of
// a quad loads two keys or values and broadcasts them to the others. On adapters where loads are slow this halves the
// time. Dispatch ceil(rows / (4 * WORKGROUP)) * heads workgroups, folded.

override WORKGROUP: u32 = 8;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let unit = group.y * 65535u + group.x;
  let chunk = chunk_of(group.z);
  let head = unit % params.heads;
  let first_row = unit / params.heads * 4u * WORKGROUP;
  if (first_row >= chunk.rows) {
    return;
  }
  let kv_head = head / (params.heads / params.kv_heads);
  let region = table[chunk.layer * params.kv_heads + kv_head];
  let last_slot = visible_slots(region.y, first_row + 4u * WORKGROUP - 1u, chunk.rows) - 1u;
  let stride = params.heads * params.depth4;
  let row = first_row + 4u * local.x;
  let rows = min(row + vec4u(0, 1, 2, 3), vec4u(chunk.rows - 1u));
  let q = (chunk.first + rows) * stride + head * params.depth4;
  let o = (chunk.first + row + vec4u(0, 1, 2, 3)) * stride + head * params.depth4;
  // Slots that each of the four rows sees.
  let visible = vec4u(
    visible_slots(region.y, row, chunk.rows),
    visible_slots(region.y, row + 1u, chunk.rows),
    visible_slots(region.y, row + 2u, chunk.rows),
    visible_slots(region.y, row + 3u, chunk.rows),
  );
  let has_rows = row < chunk.rows;

  var highest = vec4f(HIDDEN);
  var mass = vec4f();
  for (var slot = 0u; slot <= last_slot; slot += 8u) {
    let low = kv_row(region.x + min(slot + invocation % 4u, last_slot));
    let high = kv_row(region.x + min(slot + 4u + invocation % 4u, last_slot));
    // One column per key, one component per row.
    var s = mat4x4f();
    var t = mat4x4f();
    for (var d = 0u; d < params.depth4; d++) {
      let k = keys_at(low, d);
      let l = keys_at(high, d);
      let q4 = mat4x4f(queries[q.x + d], queries[q.y + d], queries[q.z + d], queries[q.w + d]);
      s[0] += quadBroadcast(k, 0u) * q4;
      s[1] += quadBroadcast(k, 1u) * q4;
      s[2] += quadBroadcast(k, 2u) * q4;
      s[3] += quadBroadcast(k, 3u) * q4;
      t[0] += quadBroadcast(l, 0u) * q4;
      t[1] += quadBroadcast(l, 1u) * q4;
      t[2] += quadBroadcast(l, 2u) * q4;
      t[3] += quadBroadcast(l, 3u) * q4;
    }
    s = masked(s, slot, visible);
    t = masked(t, slot + 4u, visible);
    let now = max(highest, max(peak(s), peak(t)));
    let decay = exp(highest - now);
    highest = now;
    s = mat4x4f(exp(s[0] - now), exp(s[1] - now), exp(s[2] - now), exp(s[3] - now));
    t = mat4x4f(exp(t[0] - now), exp(t[1] - now), exp(t[2] - now), exp(t[3] - now));
    mass = mass * decay + s[0] + s[1] + s[2] + s[3] + t[0] + t[1] + t[2] + t[3];

    let p = transpose(s); // a column per row
    let r = transpose(t);
    for (var d = 0u; d < params.depth4; d++) {
      let v = values_at(low, d);
      let w = values_at(high, d);
      let v4 = mat4x4f(
        quadBroadcast(v, 0u),
        quadBroadcast(v, 1u),
        quadBroadcast(v, 2u),
        quadBroadcast(v, 3u),
      );
      let w4 = mat4x4f(
        quadBroadcast(w, 0u),
        quadBroadcast(w, 1u),
        quadBroadcast(w, 2u),
        quadBroadcast(w, 3u),
      );
      if (has_rows) {
        add(o.x + d, slot, decay.x, v4 * p[0] + w4 * r[0]);
        add(o.y + d, slot, decay.y, v4 * p[1] + w4 * r[1]);
        add(o.z + d, slot, decay.z, v4 * p[2] + w4 * r[2]);
        add(o.w + d, slot, decay.w, v4 * p[3] + w4 * r[3]);
      }
    }
  }
  finish(chunk, row, head, o.x, highest.x, mass.x);
  finish(chunk, row + 1u, head, o.y, highest.y, mass.y);
  finish(chunk, row + 2u, head, o.z, highest.z, mass.z);
  finish(chunk, row + 3u, head, o.w, highest.w, mass.w);
}

fn add(at: u32, slot: u32, decay: f32, sum: vec4f) {
  if (slot == 0u) {
    output[at] = sum;
  } else {
    output[at] = output[at] * decay + sum;
  }
}

/// Scales the scores and masks a column's slots for the rows that do not see them.
fn masked(scores: mat4x4f, slot: u32, visible: vec4u) -> mat4x4f {
  let scaled = scores * params.scale;
  return mat4x4f(
    select(vec4f(HIDDEN), scaled[0], vec4u(slot) < visible),
    select(vec4f(HIDDEN), scaled[1], vec4u(slot + 1u) < visible),
    select(vec4f(HIDDEN), scaled[2], vec4u(slot + 2u) < visible),
    select(vec4f(HIDDEN), scaled[3], vec4u(slot + 3u) < visible),
  );
}

fn peak(scores: mat4x4f) -> vec4f {
  return max(max(scores[0], scores[1]), max(scores[2], scores[3]));
}
