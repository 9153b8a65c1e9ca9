import type { Gpu } from "../../gpu";
import { type Compiled, compileCall } from "../common/kernelCall";
import { KV_CODE } from "../common/kvType";
import { reductionCode, unitGroups } from "../common/reduction";
import dct from "./tap_dct.wgsl?raw";
import keyCosine from "./tap_key_cosine.wgsl?raw";
import keyMean from "./tap_key_mean.wgsl?raw";
import keyNorms from "./tap_key_norms.wgsl?raw";
import lowPass from "./tap_low_pass.wgsl?raw";
import spectralSum from "./tap_spectral_sum.wgsl?raw";
import { paddedKeys, type TapShape } from "./tapScores";

const WORKGROUP = 32;

/** One layer of the cache and where its domain lies. */
export interface KeyLayer {
  /** [layers, kvHeads, 4] */
  readonly domains: GPUBuffer;
  readonly k: GPUBuffer;
  readonly v: GPUBuffer;
  readonly layer: number;
}

export type TapKeys = Compiled<ReturnType<typeof tapKeyKernels>>;

/**
 * Kernels of the taps that read only keys and values, by name for `compileNamed`; see the header of
 * each `tap_*.wgsl`.
 */
export function tapKeyKernels(gpu: Gpu, shape: TapShape) {
  const { kvHeads, headDim, kvType, reduction, keys } = shape;
  const rowVec4 = headDim / 4;
  const padded = paddedKeys(keys);
  const kv = KV_CODE[kvType];
  const shared = reductionCode(reduction);
  const constants = { WORKGROUP, ROW_VEC4: rowVec4 };
  const rowGroups = [Math.ceil(keys / WORKGROUP), kvHeads] as const;

  return {
    norms: () =>
      compileCall(
        gpu,
        {
          label: "tap_key_norms",
          code: [kv, keyNorms],
          access: ["read", "read", "read", "write", "write"],
          params: { layer: "u32", kvHeads: "u32", keys: "u32" },
          constants,
        },
        (args: KeyLayer & { readonly keyNorms: GPUBuffer; readonly valueNorms: GPUBuffer }) => ({
          buffers: [args.domains, args.k, args.v, args.keyNorms, args.valueNorms],
          params: { layer: args.layer, kvHeads, keys: padded },
          groups: rowGroups,
        }),
      ),

    mean: () =>
      compileCall(
        gpu,
        {
          label: `tap_key_mean ${reduction}`,
          code: [shared.code, kv, keyMean],
          enable: shared.enable,
          access: ["read", "read", "read", "write"],
          params: { layer: "u32", kvHeads: "u32", keys: "u32" },
          constants: { ...shared.constants, ROW_VEC4: rowVec4 },
        },
        (args: KeyLayer & { readonly keyNorms: GPUBuffer; readonly means: GPUBuffer }) => ({
          buffers: [args.domains, args.k, args.keyNorms, args.means],
          params: { layer: args.layer, kvHeads, keys: padded },
          groups: unitGroups(reduction, kvHeads * rowVec4),
        }),
      ),

    cosine: () =>
      compileCall(
        gpu,
        {
          label: "tap_key_cosine",
          code: [kv, keyCosine],
          access: ["read", "read", "read", "read", "write"],
          params: { layer: "u32", kvHeads: "u32", keys: "u32" },
          constants,
        },
        (
          args: KeyLayer & {
            readonly keyNorms: GPUBuffer;
            readonly means: GPUBuffer;
            readonly cosines: GPUBuffer;
          },
        ) => ({
          buffers: [args.domains, args.k, args.keyNorms, args.means, args.cosines],
          params: { layer: args.layer, kvHeads, keys: padded },
          groups: rowGroups,
        }),
      ),

    dct: () =>
      compileCall(
        gpu,
        {
          label: "tap_dct",
          code: [kv, dct],
          access: ["read", "read", "read", "write"],
          params: { layer: "u32", kvHeads: "u32", rows: "u32" },
          constants,
        },
        (args: SpectralArgs) => ({
          buffers: [args.domains, args.cache, args.cosines, args.coefficients],
          params: { layer: args.layer, kvHeads, rows: keys },
          groups: [Math.ceil((kvHeads * rowVec4) / WORKGROUP), args.kept],
        }),
      ),

    lowPass: () =>
      compileCall(
        gpu,
        {
          label: "tap_low_pass",
          code: [kv, lowPass],
          access: ["read", "read", "read", "read", "write"],
          params: { layer: "u32", kvHeads: "u32", rows: "u32", kept: "u32" },
          constants,
        },
        (args: SpectralArgs & { readonly squares: GPUBuffer }) => ({
          buffers: [args.domains, args.cache, args.cosines, args.coefficients, args.squares],
          params: { layer: args.layer, kvHeads, rows: keys, kept: args.kept },
          groups: rowGroups,
        }),
      ),

    spectralSum: () =>
      compileCall(
        gpu,
        {
          label: `tap_spectral_sum ${reduction}`,
          code: [shared.code, spectralSum],
          enable: shared.enable,
          access: ["read", "read", "write", "write"],
          params: { layer: "u32", kvHeads: "u32", rows: "u32", keys: "u32", headDim: "u32" },
          constants: shared.constants,
        },
        (args: {
          readonly kSquares: GPUBuffer;
          readonly vSquares: GPUBuffer;
          readonly deviations: GPUBuffer;
          readonly energies: GPUBuffer;
          readonly layer: number;
        }) => ({
          buffers: [args.kSquares, args.vSquares, args.deviations, args.energies],
          params: { layer: args.layer, kvHeads, rows: keys, keys: padded, headDim },
          groups: unitGroups(reduction, kvHeads),
        }),
      ),
  };
}

interface SpectralArgs {
  readonly domains: GPUBuffer;
  /** One layer's keys or values. */
  readonly cache: GPUBuffer;
  /** [4 * rows] */
  readonly cosines: GPUBuffer;
  /** [kept, kvHeads, headDim] */
  readonly coefficients: GPUBuffer;
  readonly layer: number;
  readonly kept: number;
}
