import { SAMPLED_WORDS } from "@/gpu/kernels/sampling/sample";
import { StagedWrites } from "@/gpu/stagedWrites";
import type { Decoder } from "./decoder";
import { type StepArgs, StepProgram } from "./stepProgram";

/** Number of groups submitted before the tokens of the oldest are read back. */
export const GROUPS_IN_FLIGHT = 2;
/** Most steps of a group. */
export const GROUP_STEPS = 16;
/** Words that a step's hooks may write. */
export const HOOK_WORDS = 16;

export interface SampledToken {
  readonly id: number;
  /** Logarithm of the probability that the model gave it, without temperature and cuts. */
  readonly logProbability: number;
}

/**
 * Submits decoding steps in groups. A sampled token stays on the GPU, where the next step reads it; positions
 * and row counts of all steps of a group are known before it starts.
 */
export class DecodeSteps {
  readonly #decoder: Decoder;
  readonly #args: StepArgs;
  readonly #staging: GPUBuffer[];
  readonly #free: GPUBuffer[];
  readonly #writes: StagedWrites;
  #program: StepProgram | undefined;
  #submitted = 0;

  constructor(decoder: Decoder, args: StepArgs) {
    this.#decoder = decoder;
    this.#args = args;
    const { memory, device } = decoder.gpu;
    const { layers, kvHeads, headDim } = args.cache.shape;
    this.#staging = Array.from({ length: GROUPS_IN_FLIGHT }, (_, index) => {
      const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
      const bytes = GROUP_STEPS * SAMPLED_WORDS * 4;
      return memory.create("activations", `sampled ${index}`, bytes, usage);
    });
    this.#free = [...this.#staging];
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

  /**
   * Submits `count` steps, at most `GROUP_STEPS`, and resolves with their tokens. A hook that changes the cache
   * takes one at a time.
   */
  async submit(count = 1): Promise<readonly SampledToken[]> {
    const { hook } = this.#args;
    const { device } = this.#decoder.gpu;
    this.#reserve(count);
    const staging = this.#free.pop() as GPUBuffer;
    const encoder = device.createCommandEncoder({ label: "decode" });
    this.#writes.begin(encoder);
    this.#encode(encoder, staging, count);
    this.#writes.upload();
    device.queue.submit([encoder.finish()]);
    hook?.afterStep?.();
    this.#submitted += count;

    await staging.mapAsync(GPUMapMode.READ);
    const tokens = readTokens(staging.getMappedRange(), count);
    staging.unmap();
    this.#free.push(staging);
    return tokens;
  }

  destroy(): void {
    const { memory } = this.#decoder.gpu;
    for (const buffer of this.#staging) memory.destroy(buffer);
    this.#writes.destroy();
    this.#program?.destroy();
  }

  #reserve(count: number): void {
    const { cache, hook } = this.#args;
    if (hook?.isFinal) cache.ensureStep(this.left);
    else cache.growAhead(count, this.left);
  }

  /** @throws what a hook throws; then none of the steps has happened */
  #encode(encoder: GPUCommandEncoder, staging: GPUBuffer, count: number): void {
    const { cache, hook } = this.#args;
    const { activations } = this.#decoder;
    const bytes = SAMPLED_WORDS * 4;
    let step = 0;
    try {
      for (; step < count; step++) {
        hook?.beforeStep?.(this.#writes);
        this.#program ??= new StepProgram(this.#decoder, this.#args, this.left);
        this.#writes.write(cache.table, cache.tableWords());
        this.#writes.write(activations.angles, this.#decoder.angles(cache, 1));
        this.#program.encode(encoder);
        encoder.copyBufferToBuffer(activations.sampled, 0, staging, step * bytes, bytes);
        if (!hook?.afterStep) cache.append(1);
      }
    } catch (error) {
      this.#free.push(staging);
      if (step > 0) cache.truncate(step);
      throw error;
    }
  }
}

/** Tokens from the words that sampling wrote, one after the other. */
export function readTokens(bytes: ArrayBuffer, count: number): readonly SampledToken[] {
  const words = new Uint32Array(bytes);
  const floats = new Float32Array(bytes);
  return Array.from({ length: count }, (_, step) => {
    const at = step * SAMPLED_WORDS;
    return { id: words[at] as number, logProbability: floats[at + 2] as number };
  });
}
