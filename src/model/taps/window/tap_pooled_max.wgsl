// tap_pooled_max: DefensiveKV's window: each row of a block is average-pooled along the keys,
// rescaled to its mass before pooling, and reduced to the largest value per KV head and key.
//
//   probabilities  [block rows, heads, keys]  keys padded to a multiple of 4
//   per_mass       [block rows, heads] 1 / mass of the row over the first `pooled_keys` keys
//   per_pooled     [block rows, heads] 1 / mass of the pooled row
//   largest        [layers, kv_heads, keys] updated; keys from `pooled_keys` on are unchanged
//
// Pooling has stride 1, zero padding and a divisor of `kernel_size`. One invocation per key and KV
// head. Dispatch (ceil(pooled_keys / WORKGROUP), kv_heads).

override WORKGROUP: u32 = 32;

struct Params {
  layer: u32,
  heads: u32,
  kv_heads: u32,
  keys: u32,
  pooled_keys: u32,
  first_row: u32, // of the block
  end_row: u32,
  kernel_size: u32,
}

@group(0) @binding(0) var<storage, read> probabilities: array<f32>;
@group(0) @binding(1) var<storage, read> per_mass: array<f32>;
@group(0) @binding(2) var<storage, read> per_pooled: array<f32>;
@group(0) @binding(3) var<storage, read_write> largest: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.pooled_keys) {
    return;
  }
  let half = i32(params.kernel_size / 2u);
  let first = u32(max(i32(gid.x) - half, 0));
  let end = u32(clamp(i32(gid.x) - half + i32(params.kernel_size), 0, i32(params.pooled_keys)));
  let group = params.heads / params.kv_heads;
  var found = 0.0;
  for (var row = params.first_row; row < params.end_row; row++) {
    for (var head = gid.y * group; head < (gid.y + 1u) * group; head++) {
      let at = row * params.heads + head;
      var sum = 0.0;
      for (var key = first; key < end; key++) {
        sum += probabilities[at * params.keys + key];
      }
      let mass = per_mass[at];
      let scale = select(0.0, per_pooled[at] / mass, mass > 0.0);
      found = max(found, sum / f32(params.kernel_size) * scale);
    }
  }
  let index = (params.layer * params.kv_heads + gid.y) * params.keys + gid.x;
  largest[index] = max(largest[index], found);
}
