// decode_qkv_cache: decode_qkv writes queries, and appends keys and values to the cache.
//
//   table        [layers, kv_heads] vec4u: offset, rows in use, capacity, flat offset
//   queries      [heads, head_dim] f32, as pairs
//   keys, values one layer of the cache, as pairs; the row goes to slot `rows in use`

struct Params {
  units: u32,
  heads: u32,
  kv_heads: u32,
  half_pairs: u32, // head_dim / 4
  depth4: u32,
  first_head: u32, // of this part
  bias_first4: u32,
  epsilon: f32,
  layer: u32,
}

@group(0) @binding(4) var<storage, read> table: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> queries: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> keys: array<Kv2>;
@group(0) @binding(7) var<storage, read_write> values: array<Kv2>;
@group(0) @binding(8) var<uniform> params: Params;

/// A pair of the slot that receives the row of a head.
alias Place = u32;

/// `head` counts queries, keys and values.
fn place_of(head: u32, pair: u32) -> Place {
  let kv_head = (max(head, params.heads) - params.heads) % params.kv_heads;
  let region = table[params.layer * params.kv_heads + kv_head];
  return (region.x + region.y) * 2u * params.half_pairs + pair;
}

fn store(head: u32, pair: u32, place: Place, four: vec4f, angle: vec4f) {
  let half = params.half_pairs;
  if (head >= params.heads + params.kv_heads) {
    values[place] = kv_pack2(four.xy);
    values[place + half] = kv_pack2(four.zw);
    return;
  }
  let turned = rotated(four, angle);
  if (head >= params.heads) {
    keys[place] = kv_pack2(turned.xy);
    keys[place + half] = kv_pack2(turned.zw);
    return;
  }
  queries[head * 2u * half + pair] = turned.xy;
  queries[head * 2u * half + pair + half] = turned.zw;
}
