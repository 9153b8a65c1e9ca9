// kv_f32: a cache of 32-bit floats. `KvUnit` is four neighbouring elements of a row as stored, `Kv2`
// two; arithmetic is on the result of `kv_unpack`. Concatenated before kv_plain.wgsl.

alias KvUnit = vec4f;
alias Kv2 = vec2f;

fn kv_unpack(stored: KvUnit) -> vec4f {
  return stored;
}

fn kv_pack(value: vec4f) -> KvUnit {
  return value;
}

fn kv_pack2(value: vec2f) -> Kv2 {
  return value;
}

/// What an invocation loads at once from a row: 16 bytes, KV_RUN4 vec4.
alias KvRun = vec4f;
const KV_RUN4 = 1u;

/// Its only vec4 is the first and the last.
fn kv_pack_run(first: vec4f, last: vec4f) -> KvRun {
  return first;
}

fn kv_run4(run: KvRun, i: u32) -> vec4f {
  return run;
}
