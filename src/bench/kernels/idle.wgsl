// idle: workgroups that write one number each; what a dispatch costs without work.
//
//   output  [workgroups, at most 65 536] f32

struct Params {
  value: u32,
}

@group(0) @binding(0) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

override WORKGROUP: u32 = 64;
override SHARED: u32 = 1; // vec4 of shared memory, which every workgroup zeroes

var<workgroup> shared_words: array<vec4f, SHARED>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  if (local.x == 0u) {
    output[group.x] = f32(params.value) + shared_words[params.value % SHARED].x;
  }
}
