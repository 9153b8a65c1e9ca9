import type { Gpu } from "./gpu";

/** Buffers for a short computation: made from arrays, read back as arrays, destroyed together. */
export class Scratch {
  readonly #gpu: Gpu;
  readonly #buffers: GPUBuffer[] = [];

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** A storage buffer that holds `data`; its bytes are a multiple of 4. */
  upload(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.empty(data.length);
    this.#gpu.device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  /** A storage buffer of `words` zero words. */
  empty(words: number): GPUBuffer {
    const buffer = this.#gpu.memory.storage("activations", "scratch", words * 4);
    this.#buffers.push(buffer);
    return buffer;
  }

  async readFloats(buffer: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.#gpu.read(buffer));
  }

  async readWords(buffer: GPUBuffer): Promise<Uint32Array<ArrayBuffer>> {
    return new Uint32Array(await this.#gpu.read(buffer));
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.memory.destroy(buffer);
  }
}
