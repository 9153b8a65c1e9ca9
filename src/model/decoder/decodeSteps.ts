import { SAMPLED_WORDS } from "@/gpu/kernels/sampling/sample";
import { StagedWrites } from "@/gpu/stagedWrites";
import type { Decoder } from "./decoder";
import { type StepArgs, StepProgram } from "./stepProgram";
import { type SampledToken, TokenReadback } from "./tokenReadback";

/** Most steps of a group. */
export const GROUP_STEPS = 16;
/** Words that a step's hooks may write. */
export const HOOK_WORDS = 16;

/**
 * Submits decoding steps in groups. A sampled token stays on the GPU, where the next step reads it; positions
 * and row counts of all steps of a group are known before it starts.
 */
export class DecodeSteps {
  readonly #decoder: Decoder;
  readonly #args: StepArgs;
  readonly #readback: TokenReadback;
  readonly #writes: StagedWrites;
  #program: StepProgram | undefined;
  #submitted = 0;
  #limit = Number.POSITIVE_INFINITY;

  constructor(decoder: Decoder, args: StepArgs) {
    this.#decoder = decoder;
    this.#args = args;
    const { device } = decoder.gpu;
    const { layers, kvHeads, headDim } = args.cache.shape;
    this.#readback = new TokenReadback(decoder.gpu, "sampled", GROUP_STEPS);
    const words = 4 * layers * kvHeads + headDim + HOOK_WORDS;
    this.#writes = new StagedWrites(decoder.gpu, "decode", GROUP_STEPS * words);
    device.queue.writeBuffer(decoder.activations.sampled, 0, new Uint32Array(SAMPLED_WORDS));
  }

  /** Submitted steps; each has a row in the cache. */
  get submitted(): number {
    return this.#submitted;
  }

  /** Steps that `maxNewTokens` and the model's context leave. */
  get left(): number {
    const { cache, maxNewTokens } = this.#args;
    const { contextLength } = this.#decoder.config;
    return Math.min(maxNewTokens - this.#submitted, contextLength - cache.position);
  }

  /** Of these, the steps that are allowed now. */
  get allowed(): number {
    return Math.min(this.left, this.#limit - this.#submitted);
  }

  /** Allows `steps` from here, and the cache to grow by their rows; before, all are allowed. */
  allow(steps: number): void {
    this.#limit = this.#submitted + steps;
  }

  /**
   * Submits `count` steps, at most `GROUP_STEPS`, and resolves with their tokens. A hook that changes the cache
   * takes one at a time.
   */
  async submit(count = 1): Promise<readonly SampledToken[]> {
    const { hook } = this.#args;
    const { device } = this.#decoder.gpu;
    this.#reserve(count);
    const staging = this.#readback.take();
    const encoder = device.createCommandEncoder({ label: "decode" });
    this.#writes.begin(encoder);
    this.#encode(encoder, staging, count);
    this.#writes.upload();
    device.queue.submit([encoder.finish()]);
    hook?.afterStep?.();
    this.#submitted += count;
    return this.#readback.read(staging, count);
  }

  destroy(): void {
    this.#readback.destroy();
    this.#writes.destroy();
    this.#program?.destroy();
  }

  #reserve(count: number): void {
    const { cache, hook } = this.#args;
    if (hook?.isFinal) cache.ensureStep(this.allowed);
    else cache.growAhead(count, this.allowed);
  }

  /** @throws what a hook throws; then none of the steps has happened */
  #encode(encoder: GPUCommandEncoder, staging: GPUBuffer, count: number): void {
    const { cache, hook } = this.#args;
    const { activations, gpu } = this.#decoder;
    let step = 0;
    try {
      for (; step < count; step++) {
        hook?.beforeStep?.(this.#writes);
        this.#program ??= gpu.memory.allOrNothing(
          () => new StepProgram(this.#decoder, this.#args, this.left),
        );
        this.#writes.write(cache.table, cache.tableWords());
        this.#writes.write(activations.angles, this.#decoder.angles(cache, 1));
        this.#program.encode(encoder);
        this.#readback.copy(encoder, activations.sampled, staging, step);
        if (!hook?.afterStep) cache.append(1);
      }
    } catch (error) {
      this.#readback.giveBack(staging);
      if (step > 0) cache.truncate(step);
      throw error;
    }
  }
}
