import type { Gpu } from "@/gpu/gpu";
import { FEATURE_BIT, type FeatureSlice } from "@/gpu/kernels/common/embed";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import type { Program, Recorder } from "@/gpu/recorder";
import type { Variants } from "@/gpu/variants";
import type { DecoderConfig } from "../checkpoint/config";
import { type DecoderWeights, typesOf } from "../checkpoint/weights";
import { KvCache } from "../kv/cache";
import { axisAngles, rotaryAngles, rotaryAxes, rotaryFrequencies } from "../kv/rotary";
import { type PositionGrid, positionCount } from "../kv/tokenPositions";
import { ModelError } from "../modelError";
import { Activations } from "./activations";
import { appendRows, computedRows } from "./computedRows";
import { recordForward } from "./forward";
import type { AttentionHook } from "./hooks";
import { chunkRowsFor, createKernelSet, type KernelSet } from "./kernelSet";
import { chunkKernels } from "./layerKernels";
import { recordProductPrograms } from "./productPrograms";

export interface DecoderOptions {
  readonly variants: Variants;
  readonly kvType: KvType;
  /** Rows per prefill chunk; default: by adapter and model. */
  readonly chunkRows?: number;
}

interface PrefillArgs {
  readonly cache: KvCache;
  /** Token ids; a row of image features is its index plus `FEATURE_BIT` (see `promptIds`). */
  readonly ids: Uint32Array;
  readonly features?: readonly FeatureSlice[];
  /** Which of the ids are computed, ascending, the last one among them; the others get no row. Default: all. */
  readonly kept?: Uint32Array | undefined;
  /** Images among the ids, by place; only models with several position axes use them. */
  readonly grids?: readonly PositionGrid[];
  readonly hook?: AttentionHook | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk with the number of rows done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Number of submitted chunks in flight; more would only delay cancellation. */
const CHUNKS_IN_FLIGHT = 2;

/**
 * Numbers the image rows of a prompt: the rows of `spans`, in order, become rows of features. They are
 * known by where the prompt put them: an image token anywhere else stays a token.
 */
export function promptIds(
  ids: ArrayLike<number>,
  spans: readonly { readonly start: number; readonly count: number }[] = [],
): Uint32Array<ArrayBuffer> {
  const numbered = Uint32Array.from(ids);
  let feature = FEATURE_BIT;
  for (const { start, count } of spans) {
    for (let row = start; row < start + count; row++) numbered[row] = feature++;
  }
  return numbered;
}

/** A Llama-style language model on the GPU. */
export class Decoder {
  readonly gpu: Gpu;
  readonly config: DecoderConfig;
  readonly weights: DecoderWeights;
  readonly kernels: KernelSet;
  readonly activations: Activations;
  readonly kvType: KvType;
  /** Of a decoding step, per layer. */
  readonly productPrograms: readonly Program[];
  readonly #reduction: Reduction;
  readonly #frequencies: Float32Array;
  readonly #axes: Uint8Array | undefined;
  readonly #recorder: Recorder;

  private constructor(
    gpu: Gpu,
    config: DecoderConfig,
    weights: DecoderWeights,
    kernels: KernelSet,
    { variants, kvType, chunkRows }: Required<DecoderOptions>,
  ) {
    this.gpu = gpu;
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.kvType = kvType;
    this.activations = new Activations(gpu, config, chunkRows, kvType);
    this.#reduction = variants.reduction;
    this.#frequencies = rotaryFrequencies(config);
    this.#axes = rotaryAxes(config);
    this.#recorder = gpu.recorder("prefill");
    this.productPrograms = recordProductPrograms(gpu, this);
  }

  /**
   * Compiles the kernels and allocates the activations. Destroying the decoder destroys `weights`.
   */
  static async create(
    gpu: Gpu,
    config: DecoderConfig,
    weights: DecoderWeights,
    options: DecoderOptions,
  ): Promise<Decoder> {
    const { variants, kvType, chunkRows = chunkRowsFor(variants, config) } = options;
    const spec = { variants, types: typesOf(weights), kvType, shape: config, chunkRows };
    const kernels = await createKernelSet(gpu, spec);
    return gpu.memory.allOrNothing(
      () => new Decoder(gpu, config, weights, kernels, { variants, kvType, chunkRows }),
    );
  }

  /** An empty cache that fits this model. */
  createCache(): KvCache {
    const { layers, kvHeads, headDim } = this.config;
    const { kvType } = this;
    const reduction = this.#reduction;
    const rotary = { frequencies: this.#frequencies, ...(this.#axes && { axes: this.#axes }) };
    return KvCache.create(this.gpu, { layers, kvHeads, headDim, kvType, reduction, ...rotary });
  }

  /**
   * Appends a prompt to a cache, chunk by chunk, and computes the last row's logits. After a
   * cancellation or failure the cache is as before.
   * @throws ModelError `contextOverflow`; OutOfMemoryError; the signal's reason.
   */
  async prefill(args: PrefillArgs): Promise<void> {
    const { cache, ids, signal, onProgress } = args;
    const { chunkRows } = this.activations;
    const grids = (this.#axes && args.grids) ?? [];
    this.#checkContext(cache, positionCount(ids.length, grids));
    this.#checkIds(args);
    const rows = computedRows(ids, args.kept);
    const before = cache.seen;
    const inFlight: Promise<unknown>[] = [];
    let submitted = 0;
    let done = 0;
    const finishOldest = async () => {
      await inFlight.shift();
      done = Math.min(done + chunkRows, rows.ids.length);
      onProgress?.(done, rows.ids.length);
    };
    try {
      cache.ensureRows(rows.ids.length);
      for (const grid of grids) cache.tokens.announce(grid);
      await this.gpu.memory.granted();
      while (submitted < rows.ids.length) {
        signal?.throwIfAborted();
        const end = Math.min(submitted + chunkRows, rows.ids.length);
        const tokens = rows.tokens?.subarray(submitted, end).map((token) => before + token);
        this.#submitChunk(args, rows.ids.subarray(submitted, end), submitted, tokens);
        appendRows(cache, end - submitted, tokens);
        submitted = end;
        inFlight.push(this.gpu.device.queue.onSubmittedWorkDone());
        if (inFlight.length >= CHUNKS_IN_FLIGHT) await finishOldest();
      }
      while (inFlight.length > 0) await finishOldest();
      signal?.throwIfAborted();
    } catch (error) {
      await Promise.allSettled(inFlight);
      cache.truncate(submitted, cache.seen - before);
      throw error;
    }
  }

  /** f32 [vocabulary] of the newest row. Waits for the GPU. */
  async logits(): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.gpu.read(this.activations.logits));
  }

  /** Rotary angles of the next `rows` rows, or those of `tokens`: [rows, headDim / 2, 2]. */
  angles(cache: KvCache, rows: number, tokens?: Uint32Array): Float32Array<ArrayBuffer> {
    const frequencies = this.#frequencies;
    if (!tokens && cache.tokens.isText(rows)) {
      return rotaryAngles(frequencies, cache.position, rows);
    }
    const positions = Array.from({ length: rows }, (_, row) =>
      cache.axisPositions(tokens?.[row] ?? cache.seen + row),
    );
    return axisAngles(frequencies, this.#axes, positions);
  }

  destroy(): void {
    this.#recorder.destroy();
    for (const program of this.productPrograms) program.destroy();
    this.activations.destroy();
    this.weights.destroy();
  }

  /** @throws ModelError `contextOverflow` if `count` more positions exceed the model's context. */
  #checkContext(cache: KvCache, count: number): void {
    const { contextLength } = this.config;
    const needed = cache.position + count;
    if (needed <= contextLength) return;
    throw new ModelError(
      "contextOverflow",
      `This conversation needs ${needed} positions; the model has ${contextLength}.`,
    );
  }

  /** An id outside of every buffer would leave an earlier chunk's row unchanged. */
  #checkIds({ ids, features = [] }: PrefillArgs): void {
    const featureRows = features.reduce((sum, { rows }) => sum + rows, 0);
    const wrong = ids.find((id) =>
      id < FEATURE_BIT ? id >= this.config.vocabulary : id - FEATURE_BIT >= featureRows,
    );
    if (wrong !== undefined) throw new RangeError(`prefill: no token or feature row ${wrong}`);
  }

  #submitChunk(
    { cache, features = [], hook, ids, kept = ids }: PrefillArgs,
    chunk: Uint32Array,
    firstRow: number,
    tokens: Uint32Array | undefined,
  ): void {
    const { activations } = this;
    const recorder = this.#recorder;
    const rows = chunk.length;
    const { queue } = this.gpu.device;
    queue.writeBuffer(activations.ids, 0, Uint32Array.from(chunk));
    queue.writeBuffer(activations.angles, 0, this.angles(cache, rows, tokens));
    cache.writeTable();
    try {
      recordForward(this, recorder, {
        cache,
        ids: activations.ids,
        features,
        rows,
        firstRow,
        layerKernels: chunkKernels(this, rows),
        hook,
        logitsRow: firstRow + rows === kept.length ? rows - 1 : undefined,
      });
    } catch (error) {
      recorder.discard();
      throw error;
    }
    recorder.submit();
  }
}
