// flash_tiled: attention of a chunk of rows over one layer of the cache, as two products through shared
// memory. Head sizes up to 128. Concatenated after outer.wgsl,
// flash_io.wgsl and flash_rows.wgsl.
//
// A workgroup of 16 HIGH owns 8 HIGH rows of one head and takes 64 keys at a time. An invocation owns 8 rows (two
// groups of four) by 4 keys of the scores, then the same rows by COLUMNS vec4 of the output: an element of the
// depth reads 3 vec4 for 32 products. Queries and keys pass through shared memory 16 elements at a time,
// weights and values 16 keys at a time, both depth-major in vec4 of four rows. Only highest scores meet
// for every 64 keys; sums of exponentials meet at the end. Dispatch ceil(rows / (8 HIGH)) * heads workgroups, folded.
// Shared memory: 512 HIGH + 256 max(16, DEPTH4) bytes, 12 KiB for heads of 128.

override HIGH: u32 = 8;
override WORKGROUP: u32 = 128; // 16 * HIGH
override DEPTH4: u32 = 16; // head size / 4, at most 32
override COLUMNS: u32 = 1; // ceil(DEPTH4 / 16)
override LINES: u32 = 2u * HIGH; // groups of four rows
override WIDTH: u32 = max(16u, DEPTH4);
override FRONT: u32 = HELD * LINES;
override BACK: u32 = HELD * WIDTH;

const KEYS = 64u;
const HELD = 16u; // elements of the depth, or keys, in shared memory

var<workgroup> front: array<vec4f, FRONT>; // queries, highest scores, weights
var<workgroup> back: array<vec4f, BACK>; // keys, values

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = group.y * 65535u + group.x;
  let chunk = chunk_of(group.z);
  let head = unit % params.heads;
  let first_row = unit / params.heads * 8u * HIGH;
  if (first_row >= chunk.rows) {
    return;
  }
  let region = table[chunk.layer * params.kv_heads + head / (params.heads / params.kv_heads)];
  let slots = visible_slots(region.y, first_row + 8u * HIGH - 1u, chunk.rows);
  let tx = local.x % 16u;
  let ty = local.x / 16u;
  var low: Rows;
  var high: Rows;
  low.highest = vec4f(HIDDEN);
  high.highest = vec4f(HIDDEN);
  for (var slot = 0u; slot < slots; slot += KEYS) {
    low.scores = mat4x4f();
    high.scores = mat4x4f();
    for (var d = 0u; d < DEPTH4; d += HELD / 4u) {
      workgroupBarrier();
      load_scored(chunk, head, first_row, region.x, slot, slots, d, local.x);
      workgroupBarrier();
      for (var k = 0u; k < HELD; k++) {
        let swizzle = k / 4u;
        let key = back[k * 16u + (tx ^ swizzle)];
        low.scores = add_outer(low.scores, front[k * LINES + (ty ^ swizzle)], key);
        high.scores = add_outer(high.scores, front[k * LINES + ((HIGH + ty) ^ swizzle)], key);
      }
    }
    mask(chunk, &low, region.y, first_row + 4u * ty, slot + 4u * tx);
    mask(chunk, &high, region.y, first_row + 4u * (HIGH + ty), slot + 4u * tx);
    workgroupBarrier();
    front[tx * LINES + ty] = highest_of(low.scores);
    front[tx * LINES + HIGH + ty] = highest_of(high.scores);
    workgroupBarrier();
    weigh(&low, ty);
    weigh(&high, HIGH + ty);
    for (var at = 0u; at < KEYS && slot + at < slots; at += HELD) {
      workgroupBarrier();
      if (tx / 4u == at / HELD) {
        let low_keys = transpose(low.scores);
        let high_keys = transpose(high.scores);
        for (var i = 0u; i < 4u; i++) {
          front[(4u * (tx % 4u) + i) * LINES + ty] = low_keys[i];
          front[(4u * (tx % 4u) + i) * LINES + HIGH + ty] = high_keys[i];
        }
      }
      for (var i = local.x; i < HELD * DEPTH4; i += WORKGROUP) {
        let source = region.x + min(slot + at + i / DEPTH4, slots - 1u);
        back[i] = values_at(kv_row(source), i % DEPTH4);
      }
      workgroupBarrier();
      for (var k = 0u; k < HELD; k++) {
        for (var c = 0u; c < COLUMNS; c++) {
          let value = back[k * DEPTH4 + min(tx + 16u * c, DEPTH4 - 1u)];
          low.sums[c] = add_outer(low.sums[c], front[k * LINES + ty], value);
          high.sums[c] = add_outer(high.sums[c], front[k * LINES + HIGH + ty], value);
        }
      }
    }
  }
  workgroupBarrier();
  front[tx * LINES + ty] = low.mass;
  front[tx * LINES + HIGH + ty] = high.mass;
  workgroupBarrier();
  store(chunk, low, head, first_row + 4u * ty, ty, tx);
  store(chunk, high, head, first_row + 4u * (HIGH + ty), HIGH + ty, tx);
}

/// Loads 16 elements of the depth of all rows and of 64 keys, squares of 4 × 4 transposed in registers.
fn load_scored(chunk: Chunk, head: u32, row: u32, base: u32, slot: u32, slots: u32, d: u32, place: u32) {
  for (var square = place; square < 4u * (LINES + 16u); square += WORKGROUP) {
    let quad = square % 4u;
    let line = square / 4u;
    let at = d + quad;
    var loaded = mat4x4f();
    if (at < DEPTH4) {
      for (var i = 0u; i < 4u; i++) {
        if (line < LINES) {
          let source = chunk.first + min(row + 4u * line + i, chunk.rows - 1u);
          loaded[i] = queries[(source * params.heads + head) * DEPTH4 + at] * params.scale;
        } else {
          let source = base + min(slot + 4u * (line - LINES) + i, slots - 1u);
          loaded[i] = keys_at(kv_row(source), at);
        }
      }
    }
    let turned = transpose(loaded);
    for (var i = 0u; i < 4u; i++) {
      if (line < LINES) {
        front[(4u * quad + i) * LINES + (line ^ quad)] = turned[i];
      } else {
        back[(4u * quad + i) * 16u + ((line - LINES) ^ quad)] = turned[i];
      }
    }
  }
}
