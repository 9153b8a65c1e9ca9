// copy: copies a buffer, 8 vec4 per invocation: the memory bandwidth that a kernel can reach.
//
//   input, output  [count] vec4
//
// Dispatch ceil(count / 8 / 256).

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let stride = params.count / 8u;
  for (var at = gid.x; at < params.count; at += stride) {
    output[at] = input[at];
  }
}
