// attend_append: queries and rows for attend_split.wgsl where attention appends the newest row, because its norm or its
// rounding needs whole heads. attend_cached.wgsl has the same interface.
//
//   qkv            [heads + 2 kv_heads, DEPTH4] vec4 of the newest row, then sums of squares (decode_qkv_row.wgsl)
//   keys, values   one layer of the cache; the row goes to slot `rows before this one`
//   queries        [heads, DEPTH4] vec4, as attention takes them, for what reads them behind it
//
// No workgroup reads the slot that another one writes: each one whose split ends with the new row makes the row from
// `qkv`, and one of each KV head stores it.

override NORMED: bool = false; // queries and keys are yet to be divided by the root mean square of their head
override EPSILON: f32 = 0.0;
const APPENDS = true;

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> keys: array<KvRun>;
@group(0) @binding(2) var<storage, read_write> values: array<KvRun>;
@group(0) @binding(6) var<storage, read_write> queries: array<vec4f>;
@group(0) @binding(7) var<uniform> params: Params;

var<workgroup> newest_key: array<KvLoad, RUNS>;
var<workgroup> newest_value: array<KvLoad, RUNS>;
var<private> new_slot: u32 = 0xffffffffu; // in this split, if there is one

/// vec4 `at` of all queries. `keeps`: this invocation is the one that stores it.
fn query_at(at: u32, keeps: bool) -> vec4f {
  let query = qkv[at] * head_scale(at / DEPTH4);
  if (keeps) {
    queries[at] = query;
  }
  return query;
}

fn key_run(row: u32, r: u32) -> KvLoad {
  if (row == new_slot) {
    return newest_key[r];
  }
  return keys_run(row, r);
}

fn new_value(r: u32) -> KvLoad {
  return newest_value[r];
}

/// A key or value of the newest row, before it is rounded.
struct Source {
  head: u32,
  scale: f32,
}

fn new4(source: Source, d: u32) -> vec4f {
  return qkv[source.head * DEPTH4 + d] * source.scale;
}

/// Makes the new row; a barrier publishes it.
fn take_row(kv_head: u32, slot: u32, stores: bool, local: vec3u) {
  new_slot = slot;
  let key_head = params.heads + kv_head;
  let key = Source(key_head, head_scale(key_head));
  let value = Source(key_head + params.kv_heads, 1.0);
  for (var r = local.x; r < RUNS; r += WORKGROUP) {
    newest_key[r] = keys_put(slot, r, key, stores);
    newest_value[r] = values_put(slot, r, value, stores);
  }
}

/// What a query or key is multiplied by.
fn head_scale(head: u32) -> f32 {
  if (!NORMED) {
    return 1.0;
  }
  // The sums of a head begin with a vec4.
  let first = (params.heads + 2u * params.kv_heads) * DEPTH4 + head * ((DEPTH4 + 3u) / 4u);
  var squares = 0.0;
  for (var i = 0u; i < DEPTH4 / 4u; i++) {
    squares += dot(qkv[first + i], vec4f(1.0));
  }
  for (var i = 0u; i < DEPTH4 % 4u; i++) {
    squares += qkv[first + DEPTH4 / 4u][i];
  }
  return inverseSqrt(squares / f32(4u * DEPTH4) + EPSILON);
}
