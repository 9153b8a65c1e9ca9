// kv_plain: a cache of floating-point numbers, one row after the other. Every format of the cache defines:
//
//   KvUnit, KV_UNITS     what kernels move that do not look into a row, and how many a row has
//   kv_unit(row, i)      place of unit i of a row
//   KvRow, kv_row(row)   the place of a row, which loops over its vec4 compute once
//   KV_GROUPS            groups of a row that are rounded by themselves
//   KvLoad, kv_run4(…)   a loaded run of 16 bytes, and its vec4 i of KV_RUN4
//
// and, per buffer, from the files whose `CACHE` is replaced by the name of a binding (kvCode.ts):
//
//   CACHE_at(at, d)      kv_read_*: vec4 d of a row; the binding is array<KvUnit>
//   CACHE_run(row, r)    kv_runs_*: run r of a row of whole runs; the binding is array<KvRun>
//   CACHE_store(…)       kv_store_*: writes a part of a row; the binding is array<KvUnit>
//   CACHE_put(…)         kv_put_*: rounds and writes run r of a row of whole runs; the binding is array<KvRun>

override KV_DEPTH4: u32; // head size / 4
override KV_UNITS: u32 = KV_DEPTH4;
const KV_GROUPS = 1u;

alias KvLoad = KvRun;

fn kv_unit(row: u32, i: u32) -> u32 {
  return row * KV_DEPTH4 + i;
}

struct KvRow {
  first: u32,
}

fn kv_row(row: u32) -> KvRow {
  return KvRow(row * KV_DEPTH4);
}
