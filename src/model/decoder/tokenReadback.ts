import type { Gpu } from "@/gpu/gpu";
import { SAMPLED_WORDS } from "@/gpu/kernels/sampling/sample";

/** Number of submits whose tokens are not read yet. */
export const SUBMITS_IN_FLIGHT = 2;

const TOKEN_BYTES = SAMPLED_WORDS * 4;

export interface SampledToken {
  readonly id: number;
  /** Logarithm of the probability that the model gave it, without temperature and cuts. */
  readonly logProbability: number;
}

/** Where the sampled tokens of a submit go on their way to the CPU. */
export class TokenReadback {
  readonly #gpu: Gpu;
  readonly #buffers: readonly GPUBuffer[];
  readonly #free: GPUBuffer[];

  /** @param tokens most of a submit */
  constructor(gpu: Gpu, label: string, tokens: number) {
    this.#gpu = gpu;
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    this.#buffers = Array.from({ length: SUBMITS_IN_FLIGHT }, (_, index) =>
      gpu.memory.create("activations", `${label} ${index}`, tokens * TOKEN_BYTES, usage),
    );
    this.#free = [...this.#buffers];
  }

  /** A buffer for the tokens of the next submit. @throws RangeError if all are in flight */
  take(): GPUBuffer {
    const staging = this.#free.pop();
    if (!staging) throw new RangeError("decode: too many steps in flight");
    return staging;
  }

  /** Copies the words that sampling wrote to the place of token `index`. */
  copy(encoder: GPUCommandEncoder, sampled: GPUBuffer, staging: GPUBuffer, index: number): void {
    encoder.copyBufferToBuffer(sampled, 0, staging, index * TOKEN_BYTES, TOKEN_BYTES);
  }

  /** The first `count` tokens of a submit, when it is done. */
  async read(staging: GPUBuffer, count: number): Promise<readonly SampledToken[]> {
    await staging.mapAsync(GPUMapMode.READ);
    const bytes = staging.getMappedRange();
    const [words, floats] = [new Uint32Array(bytes), new Float32Array(bytes)];
    const tokens = Array.from({ length: count }, (_, index) => {
      const at = index * SAMPLED_WORDS;
      return { id: words[at] as number, logProbability: floats[at + 2] as number };
    });
    staging.unmap();
    this.giveBack(staging);
    return tokens;
  }

  /** A buffer that was taken and is not read. */
  giveBack(staging: GPUBuffer): void {
    this.#free.push(staging);
  }

  destroy(): void {
    for (const buffer of this.#buffers) this.#gpu.memory.destroy(buffer);
  }
}
