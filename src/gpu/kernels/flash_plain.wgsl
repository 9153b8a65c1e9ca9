// flash_plain: causal attention of a chunk of rows over one layer of the cache, softmax on the fly.
// No barriers, no shared memory, any head size.
//
//   queries        [rows, heads, depth4] vec4, rotated
//   keys, values   one layer of the cache, Kv4; a row is depth4 long
//   table          [layers, kv_heads] vec4u: offset, rows before this chunk, capacity, spare
//   output         [rows rounded up to 4, heads, depth4] vec4; also holds the running sums
//   log_sums       [rows, heads] log of the sum of exponentials of the scaled scores
//
// Chunk row r sees slots 0 … rows before + r. An invocation owns 4 rows of one head and takes 8 keys
// at a time. Dispatch ceil(rows / 4) * heads invocations, folded.
// Online softmax: https://arxiv.org/abs/1805.02867; tiling over keys: https://arxiv.org/abs/2205.14135.

override WORKGROUP: u32 = 16;

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  depth4: u32,
  layer: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<Kv4>;
@group(0) @binding(2) var<storage, read> values: array<Kv4>;
@group(0) @binding(3) var<storage, read> table: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> log_sums: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

const HIDDEN = -1e30; // masked score; below any real one, finite so that differences stay numbers
const KEYS = 8u;

fn dot4(q: vec4f, k0: vec4f, k1: vec4f, k2: vec4f, k3: vec4f) -> vec4f {
  return vec4f(dot(q, k0), dot(q, k1), dot(q, k2), dot(q, k3));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = (group.y * 65535u + group.x) * WORKGROUP + local.x;
  let head = unit % params.heads;
  let row = unit / params.heads * 4u;
  if (row >= params.rows) {
    return;
  }
  let kv_head = head / (params.heads / params.kv_heads);
  let region = table[params.layer * params.kv_heads + kv_head];
  let stride = params.heads * params.depth4;
  let q_base = min(row + vec4u(0, 1, 2, 3), vec4u(params.rows - 1u)) * stride + head * params.depth4;
  let o_base = (row + vec4u(0, 1, 2, 3)) * stride + head * params.depth4;
  let visible = region.y + row + vec4u(1, 2, 3, 4); // slots that each of the four rows sees
  let last_slot = region.y + min(row + 3u, params.rows - 1u);

  var highest = vec4f(HIDDEN);
  var mass = vec4f();
  for (var slot = 0u; slot <= last_slot; slot += KEYS) {
    var base: array<u32, KEYS>;
    for (var i = 0u; i < KEYS; i++) {
      base[i] = (region.x + min(slot + i, last_slot)) * params.depth4;
    }
    // Scores of 4 rows (a vector each) against keys 0 … 3 and 4 … 7.
    var s0 = mat2x4f();
    var s1 = mat2x4f();
    var s2 = mat2x4f();
    var s3 = mat2x4f();
    for (var d = 0u; d < params.depth4; d++) {
      let q0 = queries[q_base.x + d];
      let q1 = queries[q_base.y + d];
      let q2 = queries[q_base.z + d];
      let q3 = queries[q_base.w + d];
      let k0 = kv_unpack(keys[base[0] + d]);
      let k1 = kv_unpack(keys[base[1] + d]);
      let k2 = kv_unpack(keys[base[2] + d]);
      let k3 = kv_unpack(keys[base[3] + d]);
      let k4 = kv_unpack(keys[base[4] + d]);
      let k5 = kv_unpack(keys[base[5] + d]);
      let k6 = kv_unpack(keys[base[6] + d]);
      let k7 = kv_unpack(keys[base[7] + d]);
      s0 += mat2x4f(dot4(q0, k0, k1, k2, k3), dot4(q0, k4, k5, k6, k7));
      s1 += mat2x4f(dot4(q1, k0, k1, k2, k3), dot4(q1, k4, k5, k6, k7));
      s2 += mat2x4f(dot4(q2, k0, k1, k2, k3), dot4(q2, k4, k5, k6, k7));
      s3 += mat2x4f(dot4(q3, k0, k1, k2, k3), dot4(q3, k4, k5, k6, k7));
    }
    s0 = masked(s0, slot, visible.x);
    s1 = masked(s1, slot, visible.y);
    s2 = masked(s2, slot, visible.z);
    s3 = masked(s3, slot, visible.w);
    let now = max(highest, vec4f(peak(s0), peak(s1), peak(s2), peak(s3)));
    let decay = exp(highest - now);
    highest = now;
    s0 = mat2x4f(exp(s0[0] - now.x), exp(s0[1] - now.x));
    s1 = mat2x4f(exp(s1[0] - now.y), exp(s1[1] - now.y));
    s2 = mat2x4f(exp(s2[0] - now.z), exp(s2[1] - now.z));
    s3 = mat2x4f(exp(s3[0] - now.w), exp(s3[1] - now.w));
    mass = mass * decay + vec4f(total(s0), total(s1), total(s2), total(s3));

    for (var d = 0u; d < params.depth4; d++) {
      let v = mat4x4f(
        kv_unpack(values[base[0] + d]),
        kv_unpack(values[base[1] + d]),
        kv_unpack(values[base[2] + d]),
        kv_unpack(values[base[3] + d]),
      );
      let w = mat4x4f(
        kv_unpack(values[base[4] + d]),
        kv_unpack(values[base[5] + d]),
        kv_unpack(values[base[6] + d]),
        kv_unpack(values[base[7] + d]),
      );
      var sums = mat4x4f();
      if (slot > 0u) {
        sums = mat4x4f(
          output[o_base.x + d] * decay.x,
          output[o_base.y + d] * decay.y,
          output[o_base.z + d] * decay.z,
          output[o_base.w + d] * decay.w,
        );
      }
      output[o_base.x + d] = sums[0] + v * s0[0] + w * s0[1];
      output[o_base.y + d] = sums[1] + v * s1[0] + w * s1[1];
      output[o_base.z + d] = sums[2] + v * s2[0] + w * s2[1];
      output[o_base.w + d] = sums[3] + v * s3[0] + w * s3[1];
    }
  }
  for (var r = 0u; r < 4u && row + r < params.rows; r++) {
    log_sums[(row + r) * params.heads + head] = highest[r] + log(mass[r]);
    for (var d = 0u; d < params.depth4; d++) {
      output[o_base[r] + d] /= mass[r];
    }
  }
}

fn masked(scores: mat2x4f, slot: u32, visible: u32) -> mat2x4f {
  let slots = slot + vec4u(0, 1, 2, 3);
  return mat2x4f(
    select(vec4f(HIDDEN), scores[0] * params.scale, slots < vec4u(visible)),
    select(vec4f(HIDDEN), scores[1] * params.scale, slots + 4u < vec4u(visible)),
  );
}

fn peak(scores: mat2x4f) -> f32 {
  let m = max(scores[0], scores[1]);
  return max(max(m.x, m.y), max(m.z, m.w));
}

fn total(p: mat2x4f) -> f32 {
  return dot(p[0] + p[1], vec4f(1.0));
}
