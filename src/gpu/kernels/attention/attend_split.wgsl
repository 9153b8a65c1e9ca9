// attend_split: attention of one row over a split of a KV head, for up to 8 query heads that share it;
// attend_combine combines the splits. Head sizes up to 256. Concatenated after attend_io.wgsl. For
// reduction_workgroup and reduction_subgroup.
//
// A unit of work is a workgroup of 128: one split, one KV head, GROUP of its query heads. Keys and
// values are read once, neighbouring invocations reading neighbouring vec4. Keys pass through shared
// memory in tiles of TILE slots, rows padded by one against bank conflicts; the first values are
// loaded before the scores are computed. Dispatch splits * kv_heads * parts workgroups, folded.
// Shared memory: 10 KiB and TILE * (DEPTH4 + 1) Kv4.
//
// DIRECT: the only split; `partials` is the attention itself and `stats` its log-sum-exps [heads].

override DEPTH4: u32 = 16; // head size / 4
override GROUP: u32 = 1; // query heads of a unit, at most 8
override PARTS: u32 = 1; // units that share the query heads of a KV head
override TILE: u32 = 32;
override DIRECT: bool = false;

const AHEAD = 4u; // values that an invocation loads at a time
override STRIPES: u32 = WORKGROUP / DEPTH4; // slots whose values are loaded side by side

var<workgroup> tile: array<Kv4, TILE * (DEPTH4 + 1u)>;
var<workgroup> scores: array<f32, 8u * MOST_SPAN>;
var<workgroup> weights: array<vec4f, 2u * MOST_SPAN>;
var<workgroup> masses: array<f32, 8>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let part = unit % PARTS;
  let kv_head = unit / PARTS % params.kv_heads;
  let region = table[params.layer * params.kv_heads + kv_head];
  let rows = region.y + 1u;
  let span = span_of(rows, params.wanted);
  let split = unit / PARTS / params.kv_heads;
  let first = split * span;
  if (unit >= params.units || first >= rows) {
    return;
  }
  let slots = min(span, rows - first);
  let base = (region.x + first) * DEPTH4;
  let shared_heads = params.heads / params.kv_heads;
  let head = kv_head * shared_heads + part * GROUP;
  let heads = min(GROUP, shared_heads - part * GROUP);
  let column = local.x % DEPTH4;
  let stripe = local.x / DEPTH4;

  var loaded = load_values(base + column, stripe, slots);
  for (var at = 0u; at < slots; at += TILE) {
    workgroupBarrier();
    for (var i = local.x; i < TILE * DEPTH4; i += WORKGROUP) {
      let slot = min(at + i / DEPTH4, slots - 1u);
      tile[i / DEPTH4 * (DEPTH4 + 1u) + i % DEPTH4] = keys[base + slot * DEPTH4 + i % DEPTH4];
    }
    workgroupBarrier();
    for (var i = local.x; i < TILE * heads; i += WORKGROUP) {
      scores[i / TILE * MOST_SPAN + at + i % TILE] = score((head + i / TILE) * DEPTH4, i % TILE);
    }
  }
  workgroupBarrier();
  for (var block = 0u; block < heads; block += 4u) {
    var scaled = vec4f(HIDDEN);
    for (var i = 0u; i < 4u; i++) {
      if (block + i < heads && local.x < slots) {
        scaled[i] = scores[(block + i) * MOST_SPAN + local.x];
      }
    }
    let peak = reduce_max4(scaled, local);
    let weight = select(vec4f(), exp(scaled - peak), local.x < slots);
    weights[block / 4u * MOST_SPAN + local.x] = weight;
    let mass = reduce_add4(weight, local); // its barriers also publish `weights`
    if (local.x < min(4u, heads - block)) {
      masses[block + local.x] = mass[local.x];
      store_stats(split * params.heads + head + block + local.x, peak[local.x], mass[local.x]);
    }
  }

  var low: mat4x4f; // a column per head: its sum of values
  var high: mat4x4f;
  if (stripe < STRIPES) {
    for (var slot = stripe; slot < slots; slot += AHEAD * STRIPES) {
      let current = loaded;
      loaded = load_values(base + column, slot + AHEAD * STRIPES, slots);
      for (var i = 0u; i < AHEAD && slot + i * STRIPES < slots; i++) {
        let value = kv_unpack(current[i]);
        low += outer(value, weights[slot + i * STRIPES]);
        if (GROUP > 4u) {
          high += outer(value, weights[MOST_SPAN + slot + i * STRIPES]);
        }
      }
    }
  }
  let to = split * params.heads + head;
  store_pair(low[0], low[1], to, 0u, heads, local.x);
  if (GROUP > 2u) {
    store_pair(low[2], low[3], to, 2u, heads, local.x);
  }
  if (GROUP > 4u) {
    store_pair(high[0], high[1], to, 4u, heads, local.x);
  }
  if (GROUP > 6u) {
    store_pair(high[2], high[3], to, 6u, heads, local.x);
  }
}

/// The values of AHEAD slots from `slot` on, STRIPES apart; the last slot stands for those beyond.
fn load_values(at: u32, slot: u32, slots: u32) -> array<Kv4, AHEAD> {
  var loaded: array<Kv4, AHEAD>;
  for (var i = 0u; i < AHEAD; i++) {
    loaded[i] = values[at + min(slot + i * STRIPES, slots - 1u) * DEPTH4];
  }
  return loaded;
}

/// Scaled product of the query at vec4 `query` with a key of the tile.
fn score(query: u32, slot: u32) -> f32 {
  var sums = vec4f();
  for (var d = 0u; d < DEPTH4; d++) {
    sums += queries[query + d] * kv_unpack(tile[slot * (DEPTH4 + 1u) + d]);
  }
  return dot(sums, vec4f(params.scale));
}

fn outer(value: vec4f, weight: vec4f) -> mat4x4f {
  return mat4x4f(value * weight.x, value * weight.y, value * weight.z, value * weight.w);
}

fn store_stats(at: u32, peak: f32, mass: f32) {
  if (DIRECT) {
    stats[at] = peak + log(mass);
  } else {
    stats[2u * at] = peak;
    stats[2u * at + 1u] = mass;
  }
}

/// Adds the stripes of heads `pair` and `pair + 1`, as far as there are `heads`, and stores the sums.
/// `weights` is free by now.
fn store_pair(first: vec4f, second: vec4f, to: u32, pair: u32, heads: u32, place: u32) {
  workgroupBarrier();
  weights[place] = first;
  weights[WORKGROUP + place] = second;
  workgroupBarrier();
  let head = pair + place / DEPTH4;
  if (head < min(heads, pair + 2u)) {
    var sum = vec4f();
    for (var stripe = 0u; stripe < STRIPES; stripe++) {
      sum += weights[place / DEPTH4 * WORKGROUP + stripe * DEPTH4 + place % DEPTH4];
    }
    if (DIRECT) {
      sum /= masses[head];
    }
    partials[(to + head) * DEPTH4 + place % DEPTH4] = sum;
  }
}
