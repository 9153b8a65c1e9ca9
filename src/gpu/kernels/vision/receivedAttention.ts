import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import wgsl from "./received_attention.wgsl?raw";

export interface ReceivedAttentionArgs {
  /** f32 [tiles, rowsPerTile, heads, headDim], not scaled. */
  readonly queries: Slice;
  /** f32 [heads, tiles, rowsPerTile, headDim] */
  readonly keys: Slice;
  /** f32 [tiles, rowsPerTile, heads] */
  readonly lse: Slice;
  /** f32 [firstTile + tiles, rowsPerTile]: the last tiles are written. */
  readonly received: Slice;
  readonly firstTile: number;
  readonly tiles: number;
  readonly rowsPerTile: number;
  /** The first rows of each tile whose attention counts. */
  readonly queryRows: number;
  readonly heads: number;
  readonly headDim: number;
}

export type ReceivedAttention = (recorder: Recorder, args: ReceivedAttentionArgs) => void;

/** The attention that each row of an encoder receives within its tile. */
export async function createReceivedAttention(gpu: Gpu): Promise<ReceivedAttention> {
  const kernel = await gpu.compile({
    label: "received_attention",
    code: [wgsl],
    access: ["read", "read", "read", "write"],
    params: {
      rowsPerTile: "u32",
      tiles: "u32",
      heads: "u32",
      depth4: "u32",
      queryRows: "u32",
      firstTile: "u32",
      scale: "f32",
    },
  });

  return (recorder, { queries, keys, lse, received, headDim, ...shape }) => {
    const { tiles, firstTile, rowsPerTile, queryRows, heads } = shape;
    recorder.dispatch(kernel, {
      buffers: [queries, keys, lse, received],
      params: {
        ...{ rowsPerTile, tiles, heads, queryRows, firstTile },
        depth4: headDim / 4,
        scale: 1 / Math.sqrt(headDim),
      },
      groups: foldGroups(Math.ceil((tiles * rowsPerTile) / 64)),
    });
  };
}
