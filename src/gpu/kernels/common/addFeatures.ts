import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import type { FeatureSlice } from "./embed";
import embedFeatures from "./embed_features.wgsl?raw";
import { foldGroups } from "./reduction";

interface AddFeaturesArgs {
  /** u32 [rows]: token ids, or feature rows with `FEATURE_BIT`. */
  readonly ids: Slice;
  readonly features: readonly FeatureSlice[];
  /** Which of the slices' `deepstack`. */
  readonly level: number;
  /** f32 [rows, width], added to. */
  readonly output: Slice;
  readonly rows: number;
  /** A multiple of 4. */
  readonly width: number;
}

export type AddFeatures = (recorder: Recorder, args: AddFeaturesArgs) => void;

/** Adds further features to the rows of images (DeepStack, https://arxiv.org/abs/2406.04334). */
export async function createAddFeatures(gpu: Gpu): Promise<AddFeatures> {
  const kernel = await gpu.compile({
    label: "add_features",
    code: [embedFeatures],
    access: ["read", "read", "write"],
    params: { rows: "u32", width4: "u32", firstRow: "u32", rowCount: "u32" },
    constants: { ADDS: 1 },
  });

  return (recorder, { ids, features, level, output, rows, width }) => {
    const groups = foldGroups(Math.ceil((rows * width) / 4 / 64));
    for (const { deepstack = [], firstRow, rows: rowCount } of features) {
      const added = deepstack[level];
      if (!added) continue;
      const params = { rows, width4: width / 4, firstRow, rowCount };
      recorder.dispatch(kernel, { buffers: [ids, added, output], params, groups });
    }
  };
}
