import { keptCoefficients, type Spectral } from "@/compression/taps/spectral";
import type { Gpu } from "@/gpu/gpu";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { reductionCode, unitGroups } from "@/gpu/kernels/common/reduction";
import { kvCode } from "@/gpu/kernels/kv/kvCode";
import { checkFinite, readScores, scoreBuffer } from "../output";
import { ceilGroups, TAP_WORKGROUP } from "../shared/kernels";
import { paddedKeys, type TapKernels, type TapShape } from "../tap";
import dct from "./tap_dct.wgsl?raw";
import lowPass from "./tap_low_pass.wgsl?raw";
import spectralSum from "./tap_spectral_sum.wgsl?raw";

export const spectralTap: TapKernels<{ readonly gamma: number }, Spectral> = {
  async prepare(gpu, shape, { gamma }) {
    const [transform, compare, sum] = await Promise.all([
      compileDct(gpu, shape),
      compileLowPass(gpu, shape),
      compileSpectralSum(gpu, shape),
    ]);
    return (context) => {
      const { scratch, geometry } = context;
      const { layers, kvHeads, keys } = geometry;
      const { headDim } = context.shape;
      const kept = keptCoefficients(gamma, keys);
      const wave = Float32Array.from({ length: 4 * keys }, (_, i) =>
        Math.cos((Math.PI * i) / (2 * keys)),
      );
      const cosines = scratch.upload("cosines", wave);
      const coefficients = scratch.numbers("coefficients", kept * kvHeads * headDim);
      const kSquares = scratch.numbers("k squares", kvHeads * keys * 2);
      const vSquares = scratch.numbers("v squares", kvHeads * keys * 2);
      const deviations = scoreBuffer(context, "deviations", kvHeads);
      const energies = scratch.numbers("energies", layers * kvHeads * 4);
      return {
        layer(recorder, { spans, k, v, layer }) {
          const shared = { spans, cosines, coefficients, layer, kept };
          for (const [cache, squares] of [
            [k, kSquares],
            [v, vSquares],
          ] as const) {
            transform(recorder, { ...shared, cache });
            compare(recorder, { ...shared, cache, squares });
          }
          sum(recorder, { kSquares, vSquares, deviations, energies, layer });
        },
        outputs: [deviations, energies],
        take([bytes, energyBytes]) {
          const highShare = highShares(
            new Float32Array(energyBytes as ArrayBuffer),
            layers,
            kvHeads,
          );
          checkFinite("spectral", highShare, layers);
          return {
            deviation: readScores(context, bytes, { name: "spectral", heads: kvHeads }),
            highShare,
          };
        },
      };
    };
  },
};

/** @param energy [layers, kvHeads, 4] of K: cut, all; of V: cut, all */
function highShares(energy: Float32Array, layers: number, kvHeads: number): Float32Array {
  return Float32Array.from({ length: layers }, (_, layer) => {
    const sum = (part: number) => {
      let total = 0;
      for (let head = 0; head < kvHeads; head++) {
        total += energy[(layer * kvHeads + head) * 4 + part] as number;
      }
      return total;
    };
    const share = (high: number, all: number) => (all > 0 ? high / all : 0);
    return share(sum(0), sum(1)) + share(sum(2), sum(3));
  });
}

interface SpectralArgs {
  readonly spans: GPUBuffer;
  /** One layer's keys or values. */
  readonly cache: GPUBuffer;
  /** [4 * rows] */
  readonly cosines: GPUBuffer;
  /** [kept, kvHeads, headDim] */
  readonly coefficients: GPUBuffer;
  readonly layer: number;
  readonly kept: number;
}

function compileDct(gpu: Gpu, { kvHeads, headDim, kvType, keys }: TapShape) {
  const rowVec4 = headDim / 4;
  const kv = kvCode(kvType, headDim, { read: ["cache"] });
  return compileCall(
    gpu,
    {
      label: "tap_dct",
      code: [...kv.code, dct],
      access: ["read", "read", "read", "write"],
      params: { layer: "u32", kvHeads: "u32", rows: "u32" },
      constants: { WORKGROUP: TAP_WORKGROUP, ...kv.constants },
    },
    (args: SpectralArgs) => ({
      buffers: [args.spans, args.cache, args.cosines, args.coefficients],
      params: { layer: args.layer, kvHeads, rows: keys },
      groups: [ceilGroups(kvHeads * rowVec4), args.kept],
    }),
  );
}

function compileLowPass(gpu: Gpu, { kvHeads, headDim, kvType, keys }: TapShape) {
  const kv = kvCode(kvType, headDim, { read: ["cache"] });
  return compileCall(
    gpu,
    {
      label: "tap_low_pass",
      code: [...kv.code, lowPass],
      access: ["read", "read", "read", "read", "write"],
      params: { layer: "u32", kvHeads: "u32", rows: "u32", kept: "u32" },
      constants: { WORKGROUP: TAP_WORKGROUP, ...kv.constants },
    },
    (args: SpectralArgs & { readonly squares: GPUBuffer }) => ({
      buffers: [args.spans, args.cache, args.cosines, args.coefficients, args.squares],
      params: { layer: args.layer, kvHeads, rows: keys, kept: args.kept },
      groups: [ceilGroups(keys), kvHeads],
    }),
  );
}

function compileSpectralSum(gpu: Gpu, { kvHeads, headDim, reduction, keys }: TapShape) {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  return compileCall(
    gpu,
    {
      label: `tap_spectral_sum ${reduction}`,
      code: [code, spectralSum],
      enable,
      access: ["read", "read", "write", "write"],
      params: { layer: "u32", kvHeads: "u32", rows: "u32", keys: "u32", headDim: "u32" },
      constants,
    },
    (args: {
      readonly kSquares: GPUBuffer;
      readonly vSquares: GPUBuffer;
      readonly deviations: GPUBuffer;
      readonly energies: GPUBuffer;
      readonly layer: number;
    }) => ({
      buffers: [args.kSquares, args.vSquares, args.deviations, args.energies],
      params: { layer: args.layer, kvHeads, rows: keys, keys: paddedKeys(keys), headDim },
      groups: unitGroups(reduction, kvHeads),
    }),
  );
}
