// tile_f32: four numbers in a tile in shared memory, as they are. Concatenated before matmul_tiled.wgsl.

alias Tile4 = vec4f;

fn tile_pack(x: vec4f) -> Tile4 {
  return x;
}
