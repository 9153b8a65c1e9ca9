// attend_trial: attention of one row over a split of a KV head, for GROUP query heads that share it.
//
//   queries       [heads, 2 DEPTH8] vec4
//   keys, values  [kv_heads, capacity, DEPTH8] vec4u: eight f16 numbers each; `first` is added
//   partials      [splits, heads, 2 DEPTH8] vec4
//   stats         [splits, heads] vec2: highest score, sum of exponentials
//
// A workgroup takes SPAN slots. BY_LANES: neighbouring invocations score a slot together and meet by shuffles;
// otherwise each invocation scores a slot of its own. Values: an invocation sums 8 elements of every
// STRIPES-th slot. SUBGROUP is the adapter's only subgroup size, a multiple of DEPTH8.

struct Params {
  heads: u32,
  kv_heads: u32,
  rows: u32,
  capacity: u32,
  scale: f32,
  first: u32,
}

override WORKGROUP: u32 = 128;
override SUBGROUP: u32 = 32;
override SUBGROUPS: u32 = 4; // WORKGROUP / SUBGROUP
override DEPTH8: u32 = 8;
override GROUP: u32 = 8; // at most 8
override SPAN: u32 = 128;
override BY_LANES: bool = false;
override STRIPES: u32 = 16; // WORKGROUP / DEPTH8

const HIDDEN = -1e30;
const AHEAD = 4u;

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<vec4u>;
@group(0) @binding(2) var<storage, read> values: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> query: array<vec4f, GROUP * DEPTH8 * 2u>;
var<workgroup> weights: array<vec4f, 2u * SPAN>;
var<workgroup> meeting: array<array<vec4f, 2>, SUBGROUPS>;
var<workgroup> sums: array<vec4f, SUBGROUPS * GROUP * DEPTH8 * 2u>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let kv_head = group.x % params.kv_heads;
  let split = group.x / params.kv_heads;
  let start = split * SPAN;
  if (start >= params.rows) {
    return;
  }
  let slots = min(SPAN, params.rows - start);
  let base = params.first + (kv_head * params.capacity + start) * DEPTH8;
  let column = local.x % DEPTH8;
  let stripe = local.x / DEPTH8;
  var loaded = load_values(base + column, stripe, slots);
  for (var i = local.x; i < GROUP * DEPTH8 * 2u; i += WORKGROUP) {
    query[i] = queries[kv_head * GROUP * DEPTH8 * 2u + i] * params.scale;
  }
  workgroupBarrier();

  var low = vec4f(HIDDEN); // highest scores of heads 0 … 3
  var high = vec4f(HIDDEN);
  if (BY_LANES) {
    for (var i = 0u; i < SPAN; i += STRIPES) {
      let slot = i + stripe;
      let key = keys[base + min(slot, slots - 1u) * DEPTH8 + column];
      var score = array<f32, 8>();
      for (var h = 0u; h < GROUP; h++) {
        let at = (h * DEPTH8 + column) * 2u;
        score[h] = product(key, query[at], query[at + 1u]);
      }
      for (var step = 1u; step < DEPTH8; step *= 2u) {
        for (var h = 0u; h < GROUP; h++) {
          score[h] += subgroupShuffleXor(score[h], step);
        }
      }
      if (slot < slots) {
        let first = vec4f(score[0], score[1], score[2], score[3]);
        let second = vec4f(score[4], score[5], score[6], score[7]);
        low = max(low, first);
        high = max(high, second);
        if (column == 0u) {
          weights[slot] = first;
          weights[SPAN + slot] = second;
        }
      }
    }
    workgroupBarrier();
  } else {
    for (var slot = local.x; slot < slots; slot += WORKGROUP) {
      var score = array<f32, 8>();
      for (var d = 0u; d < DEPTH8; d++) {
        let key = keys[base + slot * DEPTH8 + d];
        for (var h = 0u; h < GROUP; h++) {
          let at = (h * DEPTH8 + d) * 2u;
          score[h] += product(key, query[at], query[at + 1u]);
        }
      }
      let first = vec4f(score[0], score[1], score[2], score[3]);
      let second = vec4f(score[4], score[5], score[6], score[7]);
      low = max(low, first);
      high = max(high, second);
      weights[slot] = first;
      weights[SPAN + slot] = second;
    }
  }
  low = subgroupMax(low);
  high = subgroupMax(high);
  if (lane == 0u) {
    meeting[local.x / SUBGROUP][0] = low;
    meeting[local.x / SUBGROUP][1] = high;
  }
  workgroupBarrier();
  for (var i = 0u; i < SUBGROUPS; i++) {
    low = max(low, meeting[i][0]);
    high = max(high, meeting[i][1]);
  }
  workgroupBarrier();
  var low_mass = vec4f();
  var high_mass = vec4f();
  for (var slot = local.x; slot < slots; slot += WORKGROUP) {
    let first = exp(weights[slot] - low);
    let second = exp(weights[SPAN + slot] - high);
    weights[slot] = first;
    weights[SPAN + slot] = second;
    low_mass += first;
    high_mass += second;
  }
  low_mass = subgroupAdd(low_mass);
  high_mass = subgroupAdd(high_mass);
  if (lane == 0u) {
    meeting[local.x / SUBGROUP][0] = low_mass;
    meeting[local.x / SUBGROUP][1] = high_mass;
  }
  workgroupBarrier();
  if (local.x < GROUP) {
    var mass = 0.0;
    for (var i = 0u; i < SUBGROUPS; i++) {
      mass += meeting[i][local.x / 4u][local.x % 4u];
    }
    let peak = select(low, high, local.x >= 4u)[local.x % 4u];
    stats[split * params.heads + kv_head * GROUP + local.x] = vec2f(peak, mass);
  }

  var total: array<vec4f, 16>; // two vec4 of each head
  for (var slot = stripe; slot < slots; slot += AHEAD * STRIPES) {
    let current = loaded;
    loaded = load_values(base + column, slot + AHEAD * STRIPES, slots);
    for (var i = 0u; i < AHEAD; i++) {
      let at = slot + i * STRIPES;
      if (at < slots) {
        let x = vec4f(unpack2x16float(current[i].x), unpack2x16float(current[i].y));
        let y = vec4f(unpack2x16float(current[i].z), unpack2x16float(current[i].w));
        let first = weights[at];
        let second = weights[SPAN + at];
        for (var h = 0u; h < GROUP; h++) {
          let weight = select(first[h % 4u], second[h % 4u], h >= 4u);
          total[2u * h] += weight * x;
          total[2u * h + 1u] += weight * y;
        }
      }
    }
  }
  for (var step = DEPTH8; step < SUBGROUP; step *= 2u) {
    for (var i = 0u; i < 2u * GROUP; i++) {
      total[i] += subgroupShuffleXor(total[i], step);
    }
  }
  if (lane < DEPTH8) {
    for (var i = 0u; i < 2u * GROUP; i++) {
      sums[(local.x / SUBGROUP * GROUP + i / 2u) * DEPTH8 * 2u + 2u * column + i % 2u] = total[i];
    }
  }
  workgroupBarrier();
  for (var i = local.x; i < GROUP * DEPTH8 * 2u; i += WORKGROUP) {
    var sum = vec4f();
    for (var s = 0u; s < SUBGROUPS; s++) {
      sum += sums[s * GROUP * DEPTH8 * 2u + i];
    }
    partials[(split * params.heads + kv_head * GROUP) * DEPTH8 * 2u + i] = sum;
  }
}

fn product(stored: vec4u, low: vec4f, high: vec4f) -> f32 {
  return dot(vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y)), low)
    + dot(vec4f(unpack2x16float(stored.z), unpack2x16float(stored.w)), high);
}

/// The values of AHEAD slots from `slot` on, STRIPES apart; the last slot stands for those beyond.
fn load_values(at: u32, slot: u32, slots: u32) -> array<vec4u, AHEAD> {
  var found: array<vec4u, AHEAD>;
  for (var i = 0u; i < AHEAD; i++) {
    found[i] = values[at + min(slot + i * STRIPES, slots - 1u) * DEPTH8];
  }
  return found;
}
