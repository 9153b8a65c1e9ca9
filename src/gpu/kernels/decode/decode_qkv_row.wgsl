// decode_qkv_row: decode_qkv writes the row for attention, which appends it (attend_append.wgsl): a unit has a part of
// a head, too little for its norm or for its rounding.
//
//   head_norm  [2, head_dim] f32: weights of the norm of queries and keys; only read if NORMED
//   qkv        [heads + 2 kv_heads, head_dim] f32: queries and keys are rotated, and multiplied with the norm's weights.
//              If NORMED, then [heads + kv_heads, head_dim / 4 rounded up to 4] f32: of every unit of a head, the sum
//              of squares of what the norm takes. A norm's factor is one for the whole head, so it can follow the
//              rotation.

struct Params {
  units: u32,
  heads: u32,
  kv_heads: u32,
  half_pairs: u32, // head_dim / 4
  depth4: u32,
  first_head: u32, // of this part
  bias_first4: u32,
  epsilon: f32,
}

override NORMED: bool = false;

@group(0) @binding(4) var<storage, read> head_norm: array<f32>;
@group(0) @binding(5) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

/// Norm weights of four elements.
alias Place = vec4f;

fn place_of(head: u32, pair: u32) -> Place {
  let half = 2u * params.half_pairs;
  let first = select(0u, 2u * half, head >= params.heads) + 2u * pair;
  if (!NORMED || head >= params.heads + params.kv_heads) {
    return vec4f(1.0);
  }
  return vec4f(
    head_norm[first],
    head_norm[first + 1u],
    head_norm[first + half],
    head_norm[first + half + 1u],
  );
}

fn store(head: u32, pair: u32, weight: Place, four: vec4f, angle: vec4f) {
  let half = 2u * params.half_pairs;
  let normed_heads = params.heads + params.kv_heads;
  var row = four;
  if (head < normed_heads) {
    row = rotated(four * weight, angle);
  }
  let first = head * 2u * half + 2u * pair;
  qkv[first] = row.x;
  qkv[first + 1u] = row.y;
  qkv[first + half] = row.z;
  qkv[first + half + 1u] = row.w;
  if (NORMED && head < normed_heads) {
    let sums = (normed_heads + params.kv_heads) * 2u * half;
    let stride = (params.half_pairs + 3u) / 4u * 4u;
    qkv[sums + head * stride + pair] = dot(four, four);
  }
}
