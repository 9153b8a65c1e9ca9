// tile_f16: four numbers in a tile in shared memory, rounded to f16. Needs `enable f16`. Concatenated before
// matmul_tiled.wgsl.

alias Tile4 = vec4h;

const MOST_F16 = vec4f(65504.0);

fn tile_pack(x: vec4f) -> Tile4 {
  return vec4h(clamp(x, -MOST_F16, MOST_F16));
}
