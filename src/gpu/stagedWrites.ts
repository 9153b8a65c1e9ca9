import type { Gpu } from "./gpu";

/**
 * Writes that take effect at their place among the commands of an encoder, whereas `queue.writeBuffer` takes
 * effect before all of them: steps that share a submit have values of their own. The data of all writes is
 * uploaded at once, and each is a copy on the GPU.
 */
export class StagedWrites {
  readonly #gpu: Gpu;
  readonly #staging: GPUBuffer;
  readonly #words: Uint32Array<ArrayBuffer>;
  #filled = 0;
  #encoder: GPUCommandEncoder | undefined;

  /** @param words 4-byte numbers that one encoder takes at most */
  constructor(gpu: Gpu, label: string, words: number) {
    this.#gpu = gpu;
    this.#words = new Uint32Array(words);
    const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.#staging = gpu.memory.create("activations", `${label} writes`, words * 4, usage);
  }

  /** The writes that follow are commands of `encoder`. */
  begin(encoder: GPUCommandEncoder): void {
    this.#encoder = encoder;
    this.#filled = 0;
  }

  /** Writes to the start of a buffer. @throws RangeError with more words than were announced */
  write(target: GPUBuffer, data: Uint32Array | Float32Array): void {
    const from = this.#filled;
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    this.#words.set(bits, from);
    this.#filled += data.length;
    this.#encoder?.copyBufferToBuffer(this.#staging, from * 4, target, 0, data.byteLength);
  }

  /** Call it after the last write and before the encoder's commands are submitted. */
  upload(): void {
    const { queue } = this.#gpu.device;
    queue.writeBuffer(this.#staging, 0, this.#words, 0, this.#filled);
    this.#encoder = undefined;
  }

  destroy(): void {
    this.#gpu.memory.destroy(this.#staging);
  }
}
