import { SAMPLED_WORDS, type SampleSettings } from "@/gpu/kernels/sampling/sample";
import type { Program, Recorder } from "@/gpu/recorder";
import type { KvCache } from "../kv/cache";
import type { Decoder } from "./decoder";
import { recordForward } from "./forward";
import type { DecodeHook } from "./hooks";
import { type SplitScratch, stepKernels } from "./layerKernels";

/** Number of steps submitted before the oldest token is read back. */
export const STEPS_IN_FLIGHT = 2;
/** Upper bound of a step's dispatches, hooks included: about a dozen per layer. */
const PROGRAM_SLOTS = 1024;

export interface StepArgs {
  readonly cache: KvCache;
  readonly sampling: SampleSettings;
  /** Most steps; the cache never grows beyond their rows. */
  readonly maxNewTokens: number;
  /** An id that is never sampled: the one that stands for rows of an image. */
  readonly excludedId?: number | undefined;
  readonly hook?: DecodeHook | undefined;
}

export interface SampledToken {
  readonly id: number;
  /** Logarithm of the probability that the model gave it, without temperature and cuts. */
  readonly logProbability: number;
}

/** Submits decoding steps: a frozen program, replayed until the cache's buffers change. */
export class DecodeSteps {
  readonly #decoder: Decoder;
  readonly #args: StepArgs;
  readonly #staging: GPUBuffer[];
  #free: GPUBuffer[];
  #program: Program | undefined;
  #programVersion = -1;
  #scratch: SplitScratch | undefined;
  #submitted = 0;

  constructor(decoder: Decoder, args: StepArgs) {
    this.#decoder = decoder;
    this.#args = args;
    const { memory, device } = decoder.gpu;
    this.#staging = Array.from({ length: STEPS_IN_FLIGHT }, (_, index) => {
      const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
      return memory.create("activations", `sampled ${index}`, SAMPLED_WORDS * 4, usage);
    });
    this.#free = [...this.#staging];
    device.queue.writeBuffer(decoder.activations.sampled, 0, new Uint32Array(SAMPLED_WORDS));
  }

  /** Submitted steps; each has a row in the cache. */
  get submitted(): number {
    return this.#submitted;
  }

  /** Submits one step and resolves with its token. */
  async submit(): Promise<SampledToken> {
    const { cache, hook, maxNewTokens } = this.#args;
    const decoder = this.#decoder;
    const { device } = decoder.gpu;
    cache.ensureStep(maxNewTokens - this.#submitted);
    hook?.beforeStep?.();
    const program = this.#currentProgram();
    decoder.writeAngles(cache, 1);
    cache.writeTable();

    const staging = this.#free.pop() as GPUBuffer;
    const encoder = device.createCommandEncoder({ label: "decode" });
    program.encode(encoder);
    encoder.copyBufferToBuffer(decoder.activations.sampled, 0, staging, 0, SAMPLED_WORDS * 4);
    device.queue.submit([encoder.finish()]);
    if (hook?.afterStep) hook.afterStep();
    else cache.append(1);
    this.#submitted++;

    await staging.mapAsync(GPUMapMode.READ);
    const words = staging.getMappedRange();
    const id = new Uint32Array(words, 0, 1)[0] as number;
    const logProbability = new Float32Array(words, 8, 1)[0] as number;
    staging.unmap();
    this.#free.push(staging);
    return { id, logProbability };
  }

  destroy(): void {
    const { memory } = this.#decoder.gpu;
    for (const buffer of this.#staging) memory.destroy(buffer);
    this.#freeProgram();
  }

  #freeProgram(): void {
    const { memory } = this.#decoder.gpu;
    this.#program?.destroy();
    if (this.#scratch) {
      memory.destroy(this.#scratch.partials);
      memory.destroy(this.#scratch.stats);
    }
    this.#program = this.#scratch = undefined;
  }

  #currentProgram(): Program {
    const { cache } = this.#args;
    if (this.#program && this.#programVersion === cache.version) return this.#program;
    this.#freeProgram();
    this.#programVersion = cache.version;
    const recorder = this.#decoder.gpu.recorder("decode", PROGRAM_SLOTS);
    this.#scratch = this.#createScratch();
    this.#record(recorder, this.#scratch);
    this.#program = recorder.program();
    return this.#program;
  }

  #createScratch(): SplitScratch {
    const { gpu, config, kernels } = this.#decoder;
    const { heads, headDim } = config;
    const splits = kernels.attend.splits(this.#args.cache.largestCapacity());
    const create = (label: string, words: number) =>
      gpu.memory.storage("activations", label, words * 4);
    return {
      partials: create("attention partials", splits * heads * headDim),
      stats: create("attention stats", splits * heads * 2),
    };
  }

  /** Samples a token from the logits that are there, then runs it through the model. */
  #record(recorder: Recorder, scratch: SplitScratch): void {
    const { cache, sampling: settings, excludedId, hook } = this.#args;
    const { activations, config, kernels } = this.#decoder;
    const { sampled, logits, slices } = activations;
    const { vocabulary } = config;
    kernels.sample(recorder, { logits, slices, sampled, vocabulary, excludedId, settings });
    recordForward(this.#decoder, recorder, {
      cache,
      ids: sampled,
      features: [],
      rows: 1,
      firstRow: 0,
      layerKernels: stepKernels(this.#decoder, cache, scratch),
      hook,
      logitsRow: 0,
    });
    hook?.afterLayers?.(recorder);
  }
}
