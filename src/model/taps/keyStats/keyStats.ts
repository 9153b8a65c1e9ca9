import type { KeyStats } from "@/compression/taps/keyStats";
import type { Gpu } from "@/gpu/gpu";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { reductionCode, unitGroups } from "@/gpu/kernels/common/reduction";
import { kvCode } from "@/gpu/kernels/kv/kvCode";
import { checkFinite, readScores, scoreBuffer } from "../output";
import { ceilGroups, TAP_WORKGROUP } from "../shared/kernels";
import { type KeyLayer, paddedKeys, type TapKernels, type TapShape } from "../tap";
import keyCosine from "./tap_key_cosine.wgsl?raw";
import keyMean from "./tap_key_mean.wgsl?raw";
import keyNorms from "./tap_key_norms.wgsl?raw";

export const keyStatsTap: TapKernels<true, KeyStats> = {
  scoresCachedSpan: () => true,
  async prepare(gpu, shape) {
    const [norms, mean, cosine] = await Promise.all([
      compileNorms(gpu, shape),
      compileMean(gpu, shape),
      compileCosine(gpu, shape),
    ]);
    return (context) => {
      const { layers, kvHeads } = context.geometry;
      const { headDim } = context.shape;
      const keyNorms = scoreBuffer(context, "key norms", kvHeads);
      const valueNorms = scoreBuffer(context, "value norms", kvHeads);
      const cosines = scoreBuffer(context, "key cosines", kvHeads);
      const means = context.scratch.numbers("key means", layers * kvHeads * headDim);
      return {
        layer(recorder, layer) {
          norms(recorder, { ...layer, keyNorms, valueNorms });
          mean(recorder, { ...layer, keyNorms, means });
          cosine(recorder, { ...layer, keyNorms, means, cosines });
        },
        outputs: [keyNorms, valueNorms, cosines, means],
        take([keys, values, similar, meanBytes]) {
          const unit = new Float32Array(meanBytes as ArrayBuffer);
          const meanKeyNorm2 = Float32Array.from({ length: layers * kvHeads }, (_, head) =>
            unit.subarray(head * headDim, (head + 1) * headDim).reduce((sum, x) => sum + x * x, 0),
          );
          checkFinite("keyStats", meanKeyNorm2, layers);
          return {
            keyNorm: readScores(context, keys, { name: "keyNorm", heads: kvHeads }),
            valueNorm: readScores(context, values, { name: "valueNorm", heads: kvHeads }),
            keyCosine: readScores(context, similar, { name: "keyCosine", heads: kvHeads }),
            meanKeyNorm2,
          };
        },
      };
    };
  },
};

const PARAMS = { layer: "u32", kvHeads: "u32", keys: "u32" } as const;

function compileNorms(gpu: Gpu, { kvHeads, headDim, kvType, keys }: TapShape) {
  const kv = kvCode(kvType, headDim, { read: ["k", "v"] });
  return compileCall(
    gpu,
    {
      label: "tap_key_norms",
      code: [...kv.code, keyNorms],
      access: ["read", "read", "read", "write", "write"],
      params: PARAMS,
      constants: { WORKGROUP: TAP_WORKGROUP, ...kv.constants },
    },
    (args: KeyLayer & { readonly keyNorms: GPUBuffer; readonly valueNorms: GPUBuffer }) => ({
      buffers: [args.spans, args.k, args.v, args.keyNorms, args.valueNorms],
      params: { layer: args.layer, kvHeads, keys: paddedKeys(keys) },
      groups: [ceilGroups(keys), kvHeads],
    }),
  );
}

function compileMean(gpu: Gpu, { kvHeads, headDim, kvType, reduction, keys }: TapShape) {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const kv = kvCode(kvType, headDim, { read: ["k"] });
  return compileCall(
    gpu,
    {
      label: `tap_key_mean ${reduction}`,
      code: [code, ...kv.code, keyMean],
      enable,
      access: ["read", "read", "read", "write"],
      params: PARAMS,
      constants: { ...constants, ...kv.constants },
    },
    (args: KeyLayer & { readonly keyNorms: GPUBuffer; readonly means: GPUBuffer }) => ({
      buffers: [args.spans, args.k, args.keyNorms, args.means],
      params: { layer: args.layer, kvHeads, keys: paddedKeys(keys) },
      groups: unitGroups(reduction, (kvHeads * headDim) / 4),
    }),
  );
}

function compileCosine(gpu: Gpu, { kvHeads, headDim, kvType, keys }: TapShape) {
  const kv = kvCode(kvType, headDim, { read: ["k"] });
  return compileCall(
    gpu,
    {
      label: "tap_key_cosine",
      code: [...kv.code, keyCosine],
      access: ["read", "read", "read", "read", "write"],
      params: PARAMS,
      constants: { WORKGROUP: TAP_WORKGROUP, ...kv.constants },
    },
    (
      args: KeyLayer & {
        readonly keyNorms: GPUBuffer;
        readonly means: GPUBuffer;
        readonly cosines: GPUBuffer;
      },
    ) => ({
      buffers: [args.spans, args.k, args.keyNorms, args.means, args.cosines],
      params: { layer: args.layer, kvHeads, keys: paddedKeys(keys) },
      groups: [ceilGroups(keys), kvHeads],
    }),
  );
}
