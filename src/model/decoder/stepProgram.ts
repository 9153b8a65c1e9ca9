import type { SampleSettings } from "@/gpu/kernels/sampling/sample";
import type { Program, Recorder } from "@/gpu/recorder";
import type { KvCache } from "../kv/cache";
import { capacityFor } from "../kv/layout";
import { Scratch } from "../scratch";
import type { Decoder } from "./decoder";
import {
  type AttentionKernels,
  type ForwardPass,
  recordAttention,
  recordEmbedding,
  recordLogits,
} from "./forward";
import type { DecodeHook } from "./hooks";
import { type SplitScratch, stepKernels } from "./layerKernels";

/** Upper bound of the dispatches of a layer, or of what surrounds the layers. */
const SLOTS = 64;

export interface StepArgs {
  readonly cache: KvCache;
  readonly sampling: SampleSettings;
  /** Most steps; the cache never grows beyond their rows. */
  readonly maxNewTokens: number;
  /** An id that is never sampled: the one that stands for rows of an image. */
  readonly excludedId?: number | undefined;
  readonly hook?: DecodeHook | undefined;
}

/** Frozen dispatches of a layer, and the version of the buffers that they are bound to. */
interface LayerProgram {
  readonly program: Program;
  readonly version: number;
}

/**
 * The dispatches of a decoding step, recorded once: sampling from the logits that are there, then the forward pass
 * of the token. Attention of a layer is recorded again when its buffers in the cache were replaced; a layer's products
 * are the decoder's for as long as it lives.
 */
export class StepProgram {
  readonly #decoder: Decoder;
  readonly #args: StepArgs;
  readonly #scratch: Scratch;
  readonly #pass: ForwardPass<AttentionKernels>;
  readonly #first: Program;
  readonly #layers: LayerProgram[] = [];
  readonly #last: Program;

  /** @param steps at most; buffers are made for the rows of all of them */
  constructor(decoder: Decoder, args: StepArgs, steps: number) {
    this.#decoder = decoder;
    this.#args = args;
    const { activations, config, kernels } = decoder;
    const { cache, sampling: settings, excludedId, hook } = args;
    const { sampled, logits, slices } = activations;
    this.#scratch = new Scratch(decoder.gpu, "attention");
    const split = splitScratch(decoder, cache, steps, this.#scratch);
    this.#pass = {
      cache,
      ids: sampled,
      features: [],
      rows: 1,
      firstRow: 0,
      layerKernels: stepKernels(decoder, cache, split),
      hook,
      logitsRow: 0,
    };
    const { vocabulary } = config;
    this.#first = this.#record((recorder) => {
      kernels.sample(recorder, { logits, slices, sampled, vocabulary, excludedId, settings });
      recordEmbedding(decoder, recorder, this.#pass);
    });
    this.#last = this.#record((recorder) => recordLogits(decoder, recorder, this.#pass));
  }

  /** Adds one step to a command buffer, after bringing it up to date with the cache. */
  encode(encoder: GPUCommandEncoder): void {
    for (let layer = 0; layer < this.#decoder.config.layers; layer++) this.#follow(layer);
    const pass = encoder.beginComputePass({ label: "decode" });
    this.#first.replay(pass);
    for (const [layer, { program }] of this.#layers.entries()) {
      program.replay(pass);
      this.#decoder.productPrograms[layer]?.replay(pass);
    }
    this.#last.replay(pass);
    pass.end();
  }

  destroy(): void {
    for (const { program } of this.#layers.splice(0)) program.destroy();
    this.#first.destroy();
    this.#last.destroy();
    this.#scratch.destroy();
  }

  #follow(layer: number): void {
    const { cache, hook } = this.#args;
    // A hook that changes the cache has buffers in the layout of all layers.
    const version = hook?.isFinal ? cache.version : cache.layerVersion(layer);
    const recorded = this.#layers[layer];
    if (recorded?.version === version) return;
    const recorder = this.#decoder.gpu.recorder("decode", SLOTS, recorded?.program);
    try {
      recordAttention(this.#decoder, recorder, this.#pass, layer);
    } catch (error) {
      // What it took over from a program is that program's still.
      if (!recorded) recorder.destroy();
      throw error;
    }
    this.#layers[layer] = { program: recorder.program(), version };
  }

  #record(work: (recorder: Recorder) => void): Program {
    const recorder = this.#decoder.gpu.recorder("decode", SLOTS);
    work(recorder);
    return recorder.program();
  }
}

/** Scratch buffers of split attention for all rows that `steps` steps may reach. */
export function splitScratch(
  { config, kernels }: Decoder,
  cache: KvCache,
  steps: number,
  scratch: Scratch,
): SplitScratch {
  const { heads, headDim, contextLength } = config;
  const rows = Math.max(...cache.rowCounts().flat());
  const most = rows + Math.min(steps, contextLength);
  const splits = kernels.attend.splits(Math.max(capacityFor(most), cache.largestCapacity()));
  return {
    partials: scratch.numbers("partials", splits * heads * headDim),
    stats: scratch.numbers("stats", splits * heads * 2),
  };
}
