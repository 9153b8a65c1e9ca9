import type { TapSpec } from "@/compression/taps/registry";
import type { TapAttention } from "@/gpu/kernels/taps/tapAttention";
import type { TapKeys } from "@/gpu/kernels/taps/tapKeys";

/** Kernels that a spec runs. */
export function attentionKernelsFor(spec: TapSpec): ReadonlySet<keyof TapAttention> {
  const { columnSum, movingAverage, lastRow, window, elite, postVision, textImage } = spec;
  const isDefensive = window?.aggregate === "defensive";
  return new Set<keyof TapAttention>([
    ...(columnSum || movingAverage ? (["columnSum", "sumPlanes"] as const) : []),
    ...(lastRow || window || elite || postVision || textImage
      ? (["copyRows", "probabilities", "fold"] as const)
      : []),
    ...(elite || isDefensive ? (["rowMass"] as const) : []),
    ...(isDefensive ? (["pooledMax"] as const) : []),
    ...(elite ? (["eliteSelect"] as const) : []),
    ...(postVision ? (["rowStrong", "sumRows"] as const) : []),
    ...(textImage ? (["textWeights"] as const) : []),
  ]);
}

export function keyKernelsFor({ keyStats, spectral }: TapSpec): ReadonlySet<keyof TapKeys> {
  return new Set<keyof TapKeys>([
    ...(keyStats ? (["norms", "mean", "cosine"] as const) : []),
    ...(spectral ? (["dct", "lowPass", "spectralSum"] as const) : []),
  ]);
}

/** @throws RangeError for taps that are not defined on rows cached before the prompt */
export function checkCachedSpan(spec: TapSpec): void {
  if (spec.elite || spec.postVision || spec.textImage || spec.spectral) {
    throw new RangeError("taps: the cached span has scores of rows alone");
  }
  if (spec.window?.aggregate === "defensive") {
    throw new RangeError("taps: the cached span has no defensive window");
  }
}
