import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import type { CacheBinding } from "@/gpu/kernels/kv/cacheBinding";
import type { Recorder } from "@/gpu/recorder";
import type { DecoderConfig } from "../checkpoint/config";
import type { DecoderWeights, LayerWeights } from "../checkpoint/weights";
import type { KvCache } from "../kv/cache";
import type { Activations } from "./activations";
import type { AttentionHook } from "./hooks";
import type { KernelSet } from "./kernelSet";

/** The parts of a decoder that the forward pass uses. */
export interface ForwardModel {
  readonly config: DecoderConfig;
  readonly weights: DecoderWeights;
  readonly kernels: KernelSet;
  readonly activations: Activations;
}

/**
 * The first operations of one layer on the new rows, which read and write the cache: `chunkKernels` for the
 * rows of a chunk, `stepKernels` for one row. x is the residual stream, f32 [rows, hidden]; the other names are
 * buffers of `Activations`.
 */
export interface AttentionKernels {
  /**
   * n = RMSNorm(x); q, k, v = n Wqkvᵀ + b. Rotates q and k; `queries` = q; appends k and v to the cache.
   * What of this needs whole heads may be left to `attend`.
   */
  appendQkv(recorder: Recorder, weights: LayerWeights, cache: CacheBinding): void;
  /** `attended` = softmax(q Kᵀ / √d) V over the cached rows that each new row sees. */
  attend(recorder: Recorder, cache: CacheBinding): void;
}

/** The other operations of one layer, on activations alone: `rowProducts` for several rows, `stepProducts` for one. */
export interface ProductKernels {
  /** x += `attended` Woᵀ + b */
  addAttended(recorder: Recorder, weights: LayerWeights): void;
  /** n = RMSNorm(x); `gated` = SiLU(n Wgateᵀ + b) ⊙ (n Wupᵀ + b) */
  gate(recorder: Recorder, weights: LayerWeights): void;
  /** x += `gated` Wdownᵀ + b */
  addGated(recorder: Recorder, weights: LayerWeights): void;
}

export type LayerKernels = AttentionKernels & ProductKernels;

/** Rows that go through the model behind those that a cache holds. */
export interface ForwardPass<K = LayerKernels> {
  readonly cache: KvCache;
  /** u32 [rows]: token ids; with `FEATURE_BIT`, rows of `features`. */
  readonly ids: GPUBuffer;
  readonly features: readonly FeatureSlice[];
  readonly rows: number;
  /** First of these rows, counted from the first row of the prefill. */
  readonly firstRow: number;
  readonly layerKernels: K;
  readonly hook?: Partial<AttentionHook> | undefined;
  /** The row whose logits are computed; absent: none. */
  readonly logitsRow?: number | undefined;
}

/** Records the forward pass of a Llama-like decoder, in the order of its mathematics. */
export function recordForward(model: ForwardModel, recorder: Recorder, pass: ForwardPass): void {
  recordEmbedding(model, recorder, pass);
  for (const layer of model.weights.layers.keys()) recordLayer(model, recorder, pass, layer);
  recordLogits(model, recorder, pass);
}

/** x = embeddings of the ids, or rows of features. */
export function recordEmbedding(
  { weights, kernels, activations: { residual: output } }: ForwardModel,
  recorder: Recorder,
  { ids, features, rows }: Omit<ForwardPass, "layerKernels">,
): void {
  kernels.embed(recorder, { ids, table: weights.embedding, features, output, rows });
}

function recordLayer(
  model: ForwardModel,
  recorder: Recorder,
  pass: ForwardPass,
  layer: number,
): void {
  const { config, kernels, activations } = model;
  const { ids, features, rows } = pass;
  recordAttention(model, recorder, pass, layer);
  recordProducts(model, recorder, pass, layer);
  if (features.length === 0) return;
  const output = activations.residual;
  const width = config.hidden;
  kernels.addFeatures(recorder, { ids, features, level: layer, output, rows, width });
}

/** The first operations of a layer, and what a hook adds behind them. */
export function recordAttention(
  { weights, activations }: ForwardModel,
  recorder: Recorder,
  { cache, rows, firstRow, layerKernels, hook }: ForwardPass<AttentionKernels>,
  layer: number,
): void {
  const { queries, lse } = activations;
  const layerWeights = weights.layers[layer] as LayerWeights;
  const { k, v } = cache.layer(layer);
  const binding = { keys: k, values: v, table: cache.table, layer };
  layerKernels.appendQkv(recorder, layerWeights, binding);
  layerKernels.attend(recorder, binding);
  hook?.afterAttention?.(recorder, { layer, firstRow, rows, q: queries, lse });
}

/** The other operations of a layer. */
export function recordProducts(
  { weights }: ForwardModel,
  recorder: Recorder,
  { layerKernels }: { readonly layerKernels: ProductKernels },
  layer: number,
): void {
  const layerWeights = weights.layers[layer] as LayerWeights;
  layerKernels.addAttended(recorder, layerWeights);
  layerKernels.gate(recorder, layerWeights);
  layerKernels.addGated(recorder, layerWeights);
}

/** Logits of one row, if they are asked for. */
export function recordLogits(
  { config, weights, kernels, activations: { residual, logits } }: ForwardModel,
  recorder: Recorder,
  { logitsRow }: Pick<ForwardPass, "logitsRow">,
): void {
  if (logitsRow === undefined) return;
  kernels.decode.head(recorder, {
    input: residual,
    inputRow: logitsRow,
    normWeight: weights.finalNormWeight,
    matrix: weights.head,
    logits,
    epsilon: config.normEpsilon,
  });
}
