// attend_split: attention of one row over a split of a KV head, for GROUP query heads that share it;
// attend_combine combines the splits. Concatenated after attend_span.wgsl, attend_io.wgsl and attend_cached.wgsl or
// attend_append.wgsl, before attend_scores.wgsl. For reduction_workgroup and reduction_subgroup.
//
// A unit of work is a workgroup: one split, one KV head, GROUP of its query heads. An invocation scores
// whole slots, a run of 16 bytes at a time, for all heads. Values: RUNS neighbouring invocations read a slot, for
// two heads; HALVES such teams take the other heads and STRIPES other slots. The first values are loaded before
// the scores are computed. Dispatch splits * kv_heads * PARTS workgroups, folded.
// Shared memory: 4 GROUP MOST_SPAN + 16 GROUP DEPTH4 + 16 WORKGROUP bytes, and as many for reductions.
//
// DIRECT: the only split, of up to MOST_SPAN slots; `partials` is the attention itself and `stats` its
// log-sum-exps [heads].

override DEPTH4: u32 = 16; // head size / 4
override RUNS: u32 = 8; // of 16 bytes in a row: DEPTH4 / KV_RUN4
override GROUP: u32 = 1; // query heads of a unit, at most 8
override PARTS: u32 = 1; // units that share the query heads of a KV head
override HALVES: u32 = 1; // ceil(GROUP / 2)
override STRIPES: u32 = 1; // WORKGROUP / (RUNS * HALVES)
override DIRECT: bool = false;
override QUERY4: u32 = GROUP * DEPTH4;
override WEIGHTS: u32 = GROUP * MOST_SPAN;

const AHEAD = 8u; // runs of values that an invocation loads at a time

var<workgroup> query: array<vec4f, QUERY4>;
var<workgroup> weights: array<f32, WEIGHTS>;
var<workgroup> sums: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = unit_index(group, local);
  let part = unit % PARTS;
  let kv_head = unit / PARTS % params.kv_heads;
  let region = table[params.layer * params.kv_heads + kv_head];
  let rows = region.y + 1u;
  let span = select(span_of(rows, params.wanted), MOST_SPAN, DIRECT);
  let split = unit / PARTS / params.kv_heads;
  let first = split * span;
  if (unit >= params.units || first >= rows) {
    return;
  }
  let slots = min(span, rows - first);
  let base = region.x + first;
  let is_newest = APPENDS && first + slots == rows;
  let old = slots - u32(is_newest); // slots that are read from the cache
  let shared_heads = params.heads / params.kv_heads;
  let head = kv_head * shared_heads + part * GROUP;
  let heads = min(GROUP, shared_heads - part * GROUP);
  let column = local.x % RUNS;
  let pair = local.x / RUNS % HALVES * 2u;
  let stripe = local.x / (RUNS * HALVES);

  var loaded = load_values(base, column, stripe, old);
  for (var i = local.x; i < QUERY4; i += WORKGROUP) {
    let last = heads * DEPTH4 - 1u; // heads beyond the last repeat a part of it, and are not stored
    query[i] = query_at(head * DEPTH4 + min(i, last), split == 0u && i <= last) * params.scale;
  }
  if (is_newest) {
    take_row(kv_head, base + old, part == 0u, local);
  }
  workgroupBarrier();
  var peaks = NO_HEADS;
  for (var slot = local.x; slot < slots; slot += WORKGROUP) {
    let scores = scores_of(base + slot);
    peaks = Heads(max(peaks.low, scores.low), max(peaks.high, scores.high));
    keep(slot, scores);
  }
  peaks = highest(peaks, local);
  var masses = Heads();
  for (var slot = local.x; slot < slots; slot += WORKGROUP) {
    let scores = kept(slot);
    let weight = Heads(exp(scores.low - peaks.low), exp(scores.high - peaks.high));
    masses = Heads(masses.low + weight.low, masses.high + weight.high);
    keep(slot, weight);
  }
  // The barriers of this also publish `weights`.
  masses = total_of(masses, local);
  let to = split * params.heads + head;
  if (local.x < heads) {
    store_stats(to + local.x, of_head(peaks, local.x), of_head(masses, local.x));
  }

  var total: array<vec4f, 2u * KV_RUN4>; // KV_RUN4 vec4 of the first head, then of the second
  if (stripe < STRIPES) {
    for (var slot = stripe; slot < old; slot += AHEAD * STRIPES) {
      let current = loaded;
      loaded = load_values(base, column, slot + AHEAD * STRIPES, old);
      for (var i = 0u; i < AHEAD; i++) {
        let at = min(slot + i * STRIPES, old - 1u);
        let is_there = slot + i * STRIPES < old;
        for (var h = 0u; h < min(GROUP, 2u); h++) {
          let weight = select(0.0, weights[min(pair + h, GROUP - 1u) * MOST_SPAN + at], is_there);
          for (var r = 0u; r < KV_RUN4; r++) {
            total[h * KV_RUN4 + r] += weight * kv_run4(current[i], r);
          }
        }
      }
    }
  }
  if (is_newest && stripe == 0u) {
    let run = new_value(column);
    for (var i = 0u; i < min(GROUP, 2u) * KV_RUN4; i++) {
      let weight = weights[min(pair + i / KV_RUN4, GROUP - 1u) * MOST_SPAN + old];
      total[i] += weight * kv_run4(run, i % KV_RUN4);
    }
  }
  for (var i = 0u; i < min(GROUP, 2u) * KV_RUN4; i++) {
    let own = pair + i / KV_RUN4;
    workgroupBarrier();
    sums[local.x] = total[i];
    workgroupBarrier();
    if (stripe == 0u && own < heads) {
      var sum = vec4f();
      for (var s = 0u; s < STRIPES; s++) {
        sum += sums[s * RUNS * HALVES + local.x];
      }
      if (DIRECT) {
        sum /= of_head(masses, own);
      }
      partials[(to + own) * DEPTH4 + column * KV_RUN4 + i % KV_RUN4] = sum;
    }
  }
}

/// A run of the values of AHEAD slots from `slot` on, STRIPES apart; the last slot stands for those beyond, and
/// without slots what is loaded means nothing.
fn load_values(base: u32, column: u32, slot: u32, slots: u32) -> array<KvLoad, AHEAD> {
  var loaded: array<KvLoad, AHEAD>;
  for (var i = 0u; i < AHEAD; i++) {
    loaded[i] = values_run(base + min(slot + i * STRIPES, max(slots, 1u) - 1u), column);
  }
  return loaded;
}

fn store_stats(at: u32, peak: f32, mass: f32) {
  if (DIRECT) {
    stats[at] = peak + log(mass);
  } else {
    stats[2u * at] = peak;
    stats[2u * at + 1u] = mass;
  }
}
