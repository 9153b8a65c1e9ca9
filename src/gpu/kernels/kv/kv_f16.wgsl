// kv_f16: a cache of 16-bit floats, stored as pairs in u32, so `shader-f16` is not needed. `KvUnit` is
// four neighbouring elements of a row, `Kv2` two; arithmetic is f32 on the result of `kv_unpack`.
// Values beyond ±65504 are clamped: keys and values do not reach this limit, and an infinity would
// become NaN in attention. Concatenated before kv_plain.wgsl.

alias KvUnit = vec2u;
alias Kv2 = u32;

fn kv_unpack(stored: KvUnit) -> vec4f {
  return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y));
}

fn kv_pack(value: vec4f) -> KvUnit {
  let finite = clamp(value, vec4f(-65504.0), vec4f(65504.0));
  return vec2u(pack2x16float(finite.xy), pack2x16float(finite.zw));
}

fn kv_pack2(value: vec2f) -> Kv2 {
  return pack2x16float(clamp(value, vec2f(-65504.0), vec2f(65504.0)));
}

/// What an invocation loads at once from a row of whole runs: 16 bytes, KV_RUN4 vec4.
alias KvRun = vec4u;
const KV_RUN4 = 2u;

fn kv_pack_run(first: vec4f, last: vec4f) -> KvRun {
  return vec4u(kv_pack(first), kv_pack(last));
}

fn kv_run4(run: KvRun, i: u32) -> vec4f {
  return kv_unpack(select(run.xy, run.zw, i > 0u));
}
