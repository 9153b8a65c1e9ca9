// kv_f32: a cache of 32-bit floats. `Kv4` is four neighbouring elements of a row as stored;
// arithmetic happens on what `kv_unpack` returns. Concatenated in front of every kernel that
// touches the cache.

alias Kv4 = vec4f;

fn kv_unpack(stored: Kv4) -> vec4f {
  return stored;
}

fn kv_pack(value: vec4f) -> Kv4 {
  return value;
}
