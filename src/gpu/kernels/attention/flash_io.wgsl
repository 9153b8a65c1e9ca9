// flash_io: buffers of every flash kernel: attention of a chunk of rows over one layer of the cache.
// Concatenated after kv_*.wgsl and before the kernel. Where CAUSAL, chunk row r sees slots 0 … rows
// before + r, else all slots of the chunk. The chunk is rows `first` … `first + rows` of queries, output
// and lse; where WINDOWED, one of several.
//
//   queries        [first + rows, heads, depth4] vec4, rotated
//   keys, values   one layer of the cache
//   table          [layers, kv_heads] vec4u: offset, rows before this chunk, capacity, flat offset
//   output         [first + rows rounded up to 4, heads, depth4] vec4; also holds the running sums
//   lse       [first + rows, heads] natural log of the sum of exponentials of the scaled scores
//
// Online softmax: https://arxiv.org/abs/1805.02867; tiling over keys: https://arxiv.org/abs/2205.14135.

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  depth4: u32,
  layer: u32,
  scale: f32,
  first: u32,
}

override CAUSAL: bool = true;
override WINDOWED: bool = false;

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(2) var<storage, read> values: array<KvUnit>;
@group(0) @binding(3) var<storage, read> table: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

struct Chunk {
  first: u32,
  rows: u32,
  layer: u32,
}

/// Where WINDOWED, workgroups with the same z take one window. The table lists windows as layers, each with
/// its number of rows in the place of the flat offset.
fn chunk_of(z: u32) -> Chunk {
  if (!WINDOWED) {
    return Chunk(params.first, params.rows, params.layer);
  }
  let window = table[(params.layer + z) * params.kv_heads];
  return Chunk(window.x, window.w, params.layer + z);
}

/// Slots that a row of a chunk of `rows` sees, `before` of them from before the chunk.
fn visible_slots(before: u32, row: u32, rows: u32) -> u32 {
  return before + select(rows, min(row + 1u, rows), CAUSAL);
}

const HIDDEN = -1e30; // masked score; below any real one, finite so that differences stay numbers

/// Divides a row's weighted sums by the sum of weights.
fn finish(chunk: Chunk, row: u32, head: u32, at: u32, highest: f32, mass: f32) {
  if (row >= chunk.rows) {
    return;
  }
  lse[(chunk.first + row) * params.heads + head] = highest + log(mass);
  for (var d = 0u; d < params.depth4; d++) {
    output[at + d] /= mass;
  }
}
