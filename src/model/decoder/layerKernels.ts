import type { QueryKeyNorm } from "@/gpu/kernels/attention/ropeAppend";
import type { CacheBinding } from "@/gpu/kernels/kv/cacheBinding";
import type { Recorder } from "@/gpu/recorder";
import type { LayerWeights } from "../checkpoint/weights";
import type { KvCache } from "../kv/cache";
import type { AttentionKernels, ForwardModel, LayerKernels, ProductKernels } from "./forward";

/** Appends rows that `write` writes: straight to the cache, or rounded afterwards, which takes whole rows. */
export function append(
  { kernels, activations: { newRows: from } }: ForwardModel,
  recorder: Recorder,
  { cache, rows }: { readonly cache: CacheBinding; readonly rows: number },
  write: (binding: CacheBinding) => void,
): void {
  write(from?.binding ?? cache);
  if (from) kernels.roundRows?.(recorder, { from, cache, rows });
}

/** The norm of a layer's queries and keys, if it has one. */
export function normOf(
  { config: { normEpsilon: epsilon } }: ForwardModel,
  { headNorm: weights }: LayerWeights,
): QueryKeyNorm | undefined {
  return weights && { weights, epsilon };
}

/** The products of a layer on several rows. */
interface RowProducts extends ProductKernels {
  /** `qkv` = RMSNorm(x) Wqkvᵀ + b */
  projectQkv(recorder: Recorder, weights: LayerWeights): void;
}

/** One dispatch per operation and matrix part, for the rows of a prefill chunk or of a batch. */
export function rowProducts(model: ForwardModel, rows: number): RowProducts {
  const { config, kernels } = model;
  const { residual, normed, qkv, attended, gated } = model.activations;
  const { hidden: width, normEpsilon: epsilon } = config;
  const norm = { input: residual, output: normed, rows, width, epsilon };
  return {
    projectQkv(recorder, weights) {
      const { buffer, biasFirst } = weights.attentionNorm;
      const weight = { buffer, size: width * 4 };
      const bias = { buffer, offset: biasFirst * 4 };
      const { qkv: matrix } = weights;
      kernels.norm(recorder, { ...norm, weight });
      kernels.matmul.bias(recorder, { input: normed, matrix, bias, output: qkv, rows });
    },
    addAttended(recorder, { output: matrix, outputBias: bias }) {
      const product = { input: attended, matrix, bias, output: residual, rows };
      kernels.matmul.residual(recorder, product);
    },
    gate(recorder, { mlpNormWeight: weight, gateUp: matrix, gateUpBias: bias }) {
      kernels.norm(recorder, { ...norm, weight });
      kernels.matmul.gated(recorder, { input: normed, matrix, bias, output: gated, rows });
    },
    addGated(recorder, { down: matrix, downBias: bias }) {
      kernels.matmul.residual(recorder, { input: gated, matrix, bias, output: residual, rows });
    },
  };
}

/** A layer on the rows of a prefill chunk. */
export function chunkKernels(model: ForwardModel, rows: number): LayerKernels {
  const { config: shape, kernels } = model;
  const { qkv, angles, queries, attended: output, lse } = model.activations;
  const products = rowProducts(model, rows);
  return {
    ...products,
    appendQkv(recorder, weights, cache) {
      products.projectQkv(recorder, weights);
      const rotated = { shape, qkv, angles, queries, rows, norm: normOf(model, weights) };
      append(model, recorder, { cache, rows }, (binding) =>
        kernels.ropeAppend(recorder, { ...rotated, cache: binding }),
      );
    },
    attend(recorder, cache) {
      kernels.flash(recorder, { cache, queries, output, lse, rows });
    },
  };
}

/** Scratch buffers of split attention, for the number of splits at the cache's largest capacity. */
export interface SplitScratch {
  /** f32 [splits, heads, headDim] */
  readonly partials: GPUBuffer;
  /** f32 [splits, heads, 2] */
  readonly stats: GPUBuffer;
}

/**
 * Attention of the one row of a decoding step. Norm and rotation are fused into the product; a row whose norms or codes
 * need whole heads is appended by attention, or on its own where attention cannot.
 */
export function stepKernels(
  model: ForwardModel,
  cache: KvCache,
  split: SplitScratch,
): AttentionKernels {
  const { config: shape, kernels } = model;
  const { residual: input, qkv, angles, queries, attended: output, lse } = model.activations;
  const { hidden, normEpsilon: epsilon } = shape;
  const { attendNewRow } = kernels;
  const productOf = ({ attentionNorm, qkv: matrix }: LayerWeights) => {
    const { buffer: normWeightAndBias, biasFirst } = attentionNorm;
    return { shape, input, normWeightAndBias, biasFirst, matrix, angles, epsilon };
  };
  const stepOf = (binding: CacheBinding) => {
    const capacity = cache.largestCapacity(binding.layer);
    return { cache: binding, capacity, queries, ...split, output, lse };
  };
  if (attendNewRow) {
    return {
      appendQkv(recorder, weights) {
        const norm = normOf(model, weights);
        kernels.decode.qkvRow(recorder, { ...productOf(weights), qkv, norm });
      },
      attend: (recorder, binding) => attendNewRow(recorder, { ...stepOf(binding), qkv }),
    };
  }
  /** Norm, rotation and append on their own. */
  const appendNormed: AttentionKernels["appendQkv"] = (recorder, weights, binding) => {
    const { attentionNorm, qkv: matrix } = weights;
    const normWeight = { buffer: attentionNorm.buffer, size: hidden * 4 };
    kernels.decode.head(recorder, { input, inputRow: 0, normWeight, matrix, logits: qkv, epsilon });
    const row = { shape, qkv, rows: 1, norm: normOf(model, weights) };
    append(model, recorder, { cache: binding, rows: 1 }, (target) =>
      kernels.ropeAppend(recorder, { ...row, cache: target, angles, queries }),
    );
  };
  return {
    appendQkv(recorder, weights, binding) {
      if (weights.headNorm) return appendNormed(recorder, weights, binding);
      append(model, recorder, { cache: binding, rows: 1 }, (target) =>
        kernels.decode.qkv(recorder, { ...productOf(weights), cache: target, queries }),
      );
    },
    attend: (recorder, binding) => kernels.attend(recorder, stepOf(binding)),
  };
}

/** The products of a layer on the one row of a decoding step. */
export function stepProducts({ config, kernels, activations }: ForwardModel): ProductKernels {
  const { residual, attended, gated } = activations;
  const { normEpsilon: epsilon } = config;
  return {
    addAttended(recorder, { output: matrix, outputBias: bias }) {
      kernels.decode.project(recorder, { input: attended, matrix, bias, output: residual });
    },
    gate(recorder, { mlpNormWeight: normWeight, gateUp: matrix, gateUpBias: bias }) {
      const product = { input: residual, normWeight, matrix, bias, output: gated, epsilon };
      kernels.decode.gated(recorder, product);
    },
    addGated(recorder, { down: matrix, downBias: bias }) {
      kernels.decode.project(recorder, { input: gated, matrix, bias, output: residual });
    },
  };
}
