import type { Gpu } from "../gpu";
import { dequantizeRows, quantizeRows } from "../grouped";
import { type DType, type GroupedType, groupingOf } from "../kernels/common/dtype";
import { loadKvRows, storeKvRows } from "../kernels/kv/kvRows";
import type { KvType } from "../kernels/kv/kvType";
import { packBf16, packF16, unpackBf16, unpackF16 } from "../packing";

/** Buffers of a self-test or a test: made from arrays, read back as arrays, destroyed together. */
export class TestBuffers {
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

  /** Rows of `values` stored as `dtype`, and what is left of them after rounding. */
  store(values: Float32Array<ArrayBuffer>, dtype: DType, columns = values.length) {
    if (dtype === "f32") return { buffer: this.upload(values), values };
    if (groupingOf(dtype)) {
      const packed = quantizeRows(values, columns, dtype as GroupedType);
      const rounded = dequantizeRows(packed, columns, dtype as GroupedType);
      return { buffer: this.upload(packed), values: rounded };
    }
    const words = dtype === "f16" ? packF16(values) : packBf16(values);
    const rounded = dtype === "f16" ? unpackF16(words) : unpackBf16(words);
    return { buffer: this.upload(words), values: rounded };
  }

  /** Rows of a cache, [rows, headDim] in whole blocks, and what is left of them after rounding. */
  storeRows(values: Float32Array<ArrayBuffer>, headDim: number, kvType: KvType) {
    const words = storeKvRows(values, headDim, kvType);
    return { buffer: this.upload(words), values: loadKvRows(words, headDim, kvType) };
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
