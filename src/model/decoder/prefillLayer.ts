import type { CacheBinding } from "@/gpu/kernels/attention/ropeAppend";
import type { Recorder } from "@/gpu/recorder";
import type { LayerWeights } from "../checkpoint/weights";
import type { Decoder } from "./decoder";

export interface LayerArgs {
  readonly layerWeights: LayerWeights;
  /** Rows of the chunk. */
  readonly rows: number;
}

/** Norm, projection, rotation, append, then attention over what one layer of the cache holds. */
export function recordAttention(
  { config, kernels, activations }: Decoder,
  recorder: Recorder,
  { cache, layerWeights, rows }: LayerArgs & { readonly cache: CacheBinding },
): void {
  const { residual, normed, qkv, angles, queries, attended, logSums } = activations;
  const { hidden: width, normEpsilon: epsilon } = config;
  const { buffer, biasFirst } = layerWeights.attentionNorm;
  const weight = { buffer, size: width * 4 };
  const bias = { buffer, offset: biasFirst * 4 };
  kernels.norm(recorder, { input: residual, weight, output: normed, rows, width, epsilon });
  kernels.matmul.bias(recorder, {
    input: normed,
    matrix: layerWeights.qkv,
    bias,
    output: qkv,
    rows,
  });
  kernels.ropeAppend(recorder, { shape: config, cache, qkv, angles, queries, rows });
  kernels.flash(recorder, { cache, queries, output: attended, logSums, rows });
}

/** Projection of the attention, then norm and gated layer, each onto the residual stream. */
export function recordFeedForward(
  { config, kernels, activations }: Decoder,
  recorder: Recorder,
  { layerWeights, rows }: LayerArgs,
): void {
  const { residual, normed, attended, gated } = activations;
  const { hidden: width, normEpsilon: epsilon } = config;
  const { outputBias, mlpNormWeight: weight, gateUpBias, downBias } = layerWeights;
  kernels.matmul.residual(recorder, {
    input: attended,
    matrix: layerWeights.output,
    bias: outputBias,
    output: residual,
    rows,
  });
  kernels.norm(recorder, { input: residual, weight, output: normed, rows, width, epsilon });
  kernels.matmul.gated(recorder, {
    input: normed,
    matrix: layerWeights.gateUp,
    bias: gateUpBias,
    output: gated,
    rows,
  });
  kernels.matmul.residual(recorder, {
    input: gated,
    matrix: layerWeights.down,
    bias: downBias,
    output: residual,
    rows,
  });
}
