import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { weightCode } from "../weights/weightCode";
import type { DType } from "./dtype";
import embed from "./embed.wgsl?raw";
import embedFeatures from "./embed_features.wgsl?raw";
import type { Matrix } from "./matrix";
import { foldGroups } from "./reduction";

/** Bit that marks an id as the index of a row of image features instead of a token. */
export const FEATURE_BIT = 0x8000_0000;

/** Rows of image features, numbered over all slices of a prompt. */
export interface FeatureSlice {
  /** f32 [rows, width]; the offset of a slice is a multiple of 256 bytes. */
  readonly features: Slice;
  /** f32 [rows, width] each: added to the residual stream behind the decoder's first layers. */
  readonly deepstack?: readonly Slice[];
  readonly firstRow: number;
  readonly rows: number;
}

interface EmbedArgs {
  /** u32 [rows]: token ids, or feature rows with `FEATURE_BIT`. */
  readonly ids: Slice;
  readonly table: Matrix;
  readonly features: readonly FeatureSlice[];
  /** f32 [rows, table.columns] */
  readonly output: Slice;
  readonly rows: number;
}

export type Embed = (recorder: Recorder, args: EmbedArgs) => void;

/** Gathers rows of the embedding table and of image features in prompt order. */
export async function createEmbed(gpu: Gpu, dtype: DType): Promise<Embed> {
  const access = ["read", "read", "write"] as const;
  const [tokens, images] = await Promise.all([
    gpu.compile({
      label: `embed ${dtype}`,
      code: [...weightCode(dtype), embed],
      access,
      params: { rows: "u32", width4: "u32", firstId: "u32", idCount: "u32" },
    }),
    gpu.compile({
      label: "embed_features",
      code: [embedFeatures],
      access,
      params: { rows: "u32", width4: "u32", firstRow: "u32", rowCount: "u32" },
    }),
  ]);

  return (recorder, { ids, table, features, output, rows }) => {
    const width4 = table.columns / 4;
    const groups = foldGroups(Math.ceil((rows * width4) / 64));
    for (const part of table.parts) {
      const params = { rows, width4, firstId: part.firstRow, idCount: part.rows };
      recorder.dispatch(tokens, { buffers: [ids, part.buffer, output], params, groups });
    }
    for (const slice of features) {
      const params = { rows, width4, firstRow: slice.firstRow, rowCount: slice.rows };
      recorder.dispatch(images, { buffers: [ids, slice.features, output], params, groups });
    }
  };
}
