// tap_copy_rows: stores the queries and log-sum-exps of a chunk's last rows for the tail pass.
//
//   queries       [chunk rows, width]        width in vec4: heads * head_dim / 4
//   lse           [chunk rows, heads]
//   tail_queries  [tail rows, width]
//   tail_lse      [tail rows, heads]
//
// Copies `rows` rows from `from` to `to`. One invocation copies one vec4 of a query and, if it
// exists, the log-sum-exp of the same index. Dispatch (ceil(width / WORKGROUP), rows).

override WORKGROUP: u32 = 32;

struct Params {
  from_row: u32,
  to_row: u32,
  width: u32,
  heads: u32,
}

@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
@group(0) @binding(1) var<storage, read> lse: array<f32>;
@group(0) @binding(2) var<storage, read_write> tail_queries: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> tail_lse: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let source = params.from_row + gid.y;
  let goal = params.to_row + gid.y;
  if (gid.x < params.width) {
    tail_queries[goal * params.width + gid.x] = queries[source * params.width + gid.x];
  }
  if (gid.x < params.heads) {
    tail_lse[goal * params.heads + gid.x] = lse[source * params.heads + gid.x];
  }
}
