// attend_cached: queries and rows for attend_split.wgsl where the cache holds the newest row already. attend_append.wgsl
// has the same interface.
//
//   queries        [heads, DEPTH4] vec4, rotated
//   keys, values   one layer of the cache

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<KvRun>;
@group(0) @binding(2) var<storage, read> values: array<KvRun>;
@group(0) @binding(6) var<uniform> params: Params;

const APPENDS = false;

fn query_at(at: u32, keeps: bool) -> vec4f {
  return queries[at];
}

fn key_run(row: u32, r: u32) -> KvLoad {
  return keys_run(row, r);
}

// Not called, because APPENDS is false.

fn take_row(kv_head: u32, slot: u32, stores: bool, local: vec3u) {
}

fn new_value(r: u32) -> KvLoad {
  return KvLoad();
}
