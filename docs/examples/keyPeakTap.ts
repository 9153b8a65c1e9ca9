import type { RowScores } from "@/compression/taps/tap";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { kvCode } from "@/gpu/kernels/kv/kvCode";
import { readScores, scoreBuffer } from "@/model/taps/output";
import { ceilGroups, TAP_WORKGROUP } from "@/model/taps/shared/kernels";
import { type KeyLayer, paddedKeys, type TapKernels } from "@/model/taps/tap";
import keyPeak from "./tap_key_peak.wgsl?raw";

export const keyPeakTap: TapKernels<true, RowScores> = {
  scoresCachedSpan: () => true,
  async prepare(gpu, { kvHeads, headDim, kvType, keys }) {
    const kv = kvCode(kvType, headDim, { read: ["k"] });
    const peak = await compileCall(
      gpu,
      {
        label: "tap_key_peak",
        code: [...kv.code, keyPeak],
        access: ["read", "read", "write"],
        params: { layer: "u32", kvHeads: "u32", keys: "u32" },
        constants: { ...kv.constants, WORKGROUP: TAP_WORKGROUP },
      },
      ({ spans, k, layer, peaks }: KeyLayer & { readonly peaks: GPUBuffer }) => ({
        buffers: [spans, k, peaks],
        params: { layer, kvHeads, keys: paddedKeys(keys) },
        groups: [ceilGroups(keys), kvHeads],
      }),
    );
    return (context) => {
      const peaks = scoreBuffer(context, "key peaks", kvHeads);
      return {
        layer: (recorder, layer) => peak(recorder, { ...layer, peaks }),
        outputs: [peaks],
        take: ([bytes]) => readScores(context, bytes, { name: "keyPeak", heads: kvHeads }),
      };
    };
  },
};
