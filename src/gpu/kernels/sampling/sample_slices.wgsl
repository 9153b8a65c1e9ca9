// sample_slices: what the sampling kernels need to know of each slice of the ids. Concatenated after sample_io.wgsl.
//
// One invocation joins the ids of one slice. Dispatch ceil(slices / WORKGROUP) workgroups.

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.slices) {
    slices[id.x] = joined_parts(id.x, params.slices, params.vocabulary);
  }
}

/// The slice of one id.
fn part_at(id: u32) -> vec4f {
  let is_out = id >= params.vocabulary || id == params.excluded;
  return select(vec4f(logits[id], 1.0, -f32(id), 1.0), EMPTY, is_out);
}
