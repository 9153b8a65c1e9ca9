// evict_move: evicts one row per head of a layer by copying the last slot's row over it.
//
//   table       [layers, kv_heads] (offset, rows, capacity, flat offset)
//   orders      [layers, kv_heads, 2] see evict_scan.wgsl; no slots in use: nothing to do
//   candidates  [layers, kv_heads, PARTS] of evict_scan, where the victim is the LOWEST
//   k, v        the layer's regions
//   scores      [flat rows] f32, and
//   positions   [flat rows] u32: moved along, where they are kept
//
// Attention does not depend on the order of slots, so this takes O(1) for any cache size. One
// invocation per unit of a head's row. Dispatch ceil(kv_heads * KV_UNITS / WORKGROUP). Concatenated after
// kv_*.wgsl.

override WORKGROUP: u32 = 64;

const PARTS = 64u;
const LOWEST = 0xffffffffu;

struct Params {
  layer: u32,
  kv_heads: u32,
  has_ledger: u32,
}

@group(0) @binding(0) var<storage, read> table: array<vec4u>;
@group(0) @binding(1) var<storage, read> orders: array<vec4u>;
@group(0) @binding(2) var<storage, read> candidates: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> k: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> v: array<KvUnit>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;
@group(0) @binding(6) var<storage, read_write> positions: array<u32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.kv_heads * KV_UNITS) {
    return;
  }
  let head = params.layer * params.kv_heads + gid.x / KV_UNITS;
  let unit = gid.x % KV_UNITS;
  let order = orders[2u * head];
  if (order.x == 0u) {
    return;
  }
  let region = table[head];
  let last = order.x - 1u;
  var victim = order.y;
  if (victim == LOWEST) {
    victim = lowest(head);
  }
  if (victim == last) {
    return;
  }
  let from_row = kv_unit(region.x + last, unit);
  let to_row = kv_unit(region.x + victim, unit);
  k[to_row] = k[from_row];
  v[to_row] = v[from_row];
  if (unit == 0u && params.has_ledger == 1u) {
    scores[region.w + victim] = scores[region.w + last];
    positions[region.w + victim] = positions[region.w + last];
  }
}

fn lowest(head: u32) -> u32 {
  var best = bitcast<f32>(candidates[head * PARTS].x);
  var slot = candidates[head * PARTS].y;
  for (var part = 1u; part < PARTS; part++) {
    let candidate = candidates[head * PARTS + part];
    let score = bitcast<f32>(candidate.x);
    if (score < best || (score == best && candidate.y < slot)) {
      best = score;
      slot = candidate.y;
    }
  }
  return slot;
}
