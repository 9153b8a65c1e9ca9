import type { TapSpec, Taps } from "@/compression/taps/registry";
import type { KeyLayer, TapKeys } from "@/gpu/kernels/taps/tapKeys";
import type { Recorder } from "@/gpu/recorder";
import type { Scratch } from "../scratch";
import type { TapGeometry } from "./geometry";
import { checkFinite, rowScores } from "./output";

export interface KeyContext {
  readonly kernels: TapKeys;
  readonly geometry: TapGeometry;
  readonly headDim: number;
  readonly scratch: Scratch;
}

/** A tap that reads only a layer's keys and values. */
export interface KeyTap {
  layer(recorder: Recorder, layer: KeyLayer): void;
  readonly outputs: readonly GPUBuffer[];
  take(bytes: readonly ArrayBuffer[]): Partial<Taps>;
}

export function createKeyTaps(spec: TapSpec, context: KeyContext): readonly KeyTap[] {
  return [
    ...(spec.keyStats ? [keyStatsTap(context)] : []),
    ...(spec.spectral ? [spectralTap(spec.spectral.gamma, context)] : []),
  ];
}

function keyStatsTap({ kernels, geometry, headDim, scratch }: KeyContext): KeyTap {
  const { layers, kvHeads, keys, paddedKeys } = geometry;
  const count = layers * kvHeads * paddedKeys;
  const keyNorms = scratch.numbers("key norms", count);
  const valueNorms = scratch.numbers("value norms", count);
  const cosines = scratch.numbers("key cosines", count);
  const means = scratch.numbers("key means", layers * kvHeads * headDim);
  const take = (bytes: ArrayBuffer | undefined, name: string) =>
    rowScores(bytes as ArrayBuffer, {
      name,
      layers,
      heads: kvHeads,
      rows: keys,
      paddedRows: paddedKeys,
    });
  return {
    layer(recorder, layer) {
      kernels.norms(recorder, { ...layer, keyNorms, valueNorms });
      kernels.mean(recorder, { ...layer, keyNorms, means });
      kernels.cosine(recorder, { ...layer, keyNorms, means, cosines });
    },
    outputs: [keyNorms, valueNorms, cosines, means],
    take([norms, values, cosine, meanBytes]) {
      const mean = new Float32Array(meanBytes as ArrayBuffer);
      const meanKeyNorm2 = Float32Array.from({ length: layers * kvHeads }, (_, head) =>
        mean.subarray(head * headDim, (head + 1) * headDim).reduce((sum, x) => sum + x * x, 0),
      );
      checkFinite("keyStats", meanKeyNorm2, layers);
      return {
        keyStats: {
          keyNorm: take(norms, "keyNorm"),
          valueNorm: take(values, "valueNorm"),
          keyCosine: take(cosine, "keyCosine"),
          meanKeyNorm2,
        },
      };
    },
  };
}

/**
 * FlashCache (https://arxiv.org/abs/2511.16786): K and V of a head go through an orthonormal DCT-II
 * along the prompt's rows; the lowest round(gamma N) coefficients, at least one, make the low-pass.
 * `deviation` is the mean squared distance from it over the head's dimensions, of K plus of V;
 * `highShare` the removed energy divided by the layer's total energy, of K plus of V.
 */
function spectralTap(gamma: number, { kernels, geometry, headDim, scratch }: KeyContext): KeyTap {
  const { layers, kvHeads, keys, paddedKeys } = geometry;
  const kept = Math.min(keys, Math.max(1, Math.round(gamma * keys)));
  const wave = Float32Array.from({ length: 4 * keys }, (_, i) =>
    Math.cos((Math.PI * i) / (2 * keys)),
  );
  const cosines = scratch.upload("cosines", wave);
  const coefficients = scratch.numbers("coefficients", kept * kvHeads * headDim);
  const kSquares = scratch.numbers("k squares", kvHeads * keys * 2);
  const vSquares = scratch.numbers("v squares", kvHeads * keys * 2);
  const deviations = scratch.numbers("deviations", layers * kvHeads * paddedKeys);
  const energies = scratch.numbers("energies", layers * kvHeads * 4);
  return {
    layer(recorder, { domains, k, v, layer }) {
      const shared = { domains, cosines, coefficients, layer, kept };
      for (const [cache, squares] of [
        [k, kSquares],
        [v, vSquares],
      ] as const) {
        kernels.dct(recorder, { ...shared, cache });
        kernels.lowPass(recorder, { ...shared, cache, squares });
      }
      kernels.spectralSum(recorder, { kSquares, vSquares, deviations, energies, layer });
    },
    outputs: [deviations, energies],
    take([bytes, energyBytes]) {
      const energy = new Float32Array(energyBytes as ArrayBuffer);
      const highShare = Float32Array.from({ length: layers }, (_, layer) => {
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
      checkFinite("spectral", highShare, layers);
      const shape = {
        name: "spectral",
        layers,
        heads: kvHeads,
        rows: keys,
        paddedRows: paddedKeys,
      };
      return { spectral: { deviation: rowScores(bytes as ArrayBuffer, shape), highShare } };
    },
  };
}
