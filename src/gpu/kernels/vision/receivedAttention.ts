import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import wgsl from "./received_attention.wgsl?raw";

interface ReceivedAttentionArgs {
  /** f32 [total, heads, headDim], not scaled. */
  readonly queries: Slice;
  /** f32 [heads, total, headDim] */
  readonly keys: Slice;
  /** f32 [total, heads] */
  readonly lse: Slice;
  /** f32 [to + rows]: the last rows are written. */
  readonly received: Slice;
  readonly total: number;
  /** Rows that attend to each other, from `first` on. */
  readonly rows: number;
  readonly first: number;
  readonly to: number;
  /** The first of these rows whose attention counts. */
  readonly queryRows: number;
  readonly heads: number;
  readonly headDim: number;
}

export type ReceivedAttention = (recorder: Recorder, args: ReceivedAttentionArgs) => void;

/** The attention that each row of an encoder's tile or window receives. */
export async function createReceivedAttention(gpu: Gpu): Promise<ReceivedAttention> {
  const kernel = await gpu.compile({
    label: "received_attention",
    code: [wgsl],
    access: ["read", "read", "read", "write"],
    params: {
      rows: "u32",
      first: "u32",
      total: "u32",
      to: "u32",
      heads: "u32",
      depth4: "u32",
      queryRows: "u32",
      scale: "f32",
    },
  });

  return (recorder, { queries, keys, lse, received, headDim, ...params }) =>
    recorder.dispatch(kernel, {
      buffers: [queries, keys, lse, received],
      params: { ...params, depth4: headDim / 4, scale: 1 / Math.sqrt(headDim) },
      groups: foldGroups(Math.ceil(params.rows / 64)),
    });
}
