import type { Gpu } from "@/gpu/gpu";
import type { NewRows } from "@/gpu/kernels/cache/roundRows";
import { isGroupedKv, type KvType } from "@/gpu/kernels/kv/kvType";
import { SAMPLED_WORDS, sampleSlices } from "@/gpu/kernels/sampling/sample";
import type { DecoderConfig } from "../checkpoint/config";

/**
 * Activation buffers of a decoder, allocated once: rows of one chunk, and one row while decoding.
 * All f32.
 */
export class Activations {
  /** Largest number of rows. */
  readonly chunkRows: number;
  /** u32 [chunkRows] */
  readonly ids: GPUBuffer;
  /** [chunkRows, headDim / 2, 2]: cosine and sine of each rotated pair. */
  readonly angles: GPUBuffer;
  /** [chunkRows, hidden] */
  readonly residual: GPUBuffer;
  /** [chunkRows, hidden] */
  readonly normed: GPUBuffer;
  /** [chunkRows, heads + 2 kvHeads, headDim]; two rows at least, for `DecodeKernels.qkvRow`. */
  readonly qkv: GPUBuffer;
  /** [chunkRows, heads, headDim] */
  readonly queries: GPUBuffer;
  /** [chunkRows rounded up to 4, heads, headDim] */
  readonly attended: GPUBuffer;
  /** [chunkRows, heads] */
  readonly lse: GPUBuffer;
  /** [chunkRows, intermediate] */
  readonly gated: GPUBuffer;
  /** [vocabulary] */
  readonly logits: GPUBuffer;
  /** u32 [3]: the newest token, how many were sampled, bits of its log-probability. */
  readonly sampled: GPUBuffer;
  /** [slices of the vocabulary, 4]: scratch of the sampling kernels. */
  readonly slices: GPUBuffer;
  /** Keys and values of a chunk before they are rounded; only for a cache of codes. */
  readonly newRows: NewRows | undefined;
  readonly #gpu: Gpu;
  readonly #buffers: GPUBuffer[] = [];

  constructor(gpu: Gpu, config: DecoderConfig, chunkRows: number, kvType: KvType) {
    const { hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config;
    this.#gpu = gpu;
    this.chunkRows = chunkRows;
    this.ids = this.#create("ids", chunkRows);
    this.angles = this.#create("angles", chunkRows * headDim);
    this.residual = this.#create("residual", chunkRows * hidden);
    this.normed = this.#create("normed", chunkRows * hidden);
    this.qkv = this.#create("qkv", Math.max(2, chunkRows) * (heads + 2 * kvHeads) * headDim);
    this.queries = this.#create("queries", chunkRows * heads * headDim);
    this.attended = this.#create("attended", Math.ceil(chunkRows / 4) * 4 * heads * headDim);
    this.lse = this.#create("lse", chunkRows * heads);
    this.gated = this.#create("gated", chunkRows * intermediate);
    this.logits = this.#create("logits", vocabulary);
    this.sampled = this.#create("sampled", SAMPLED_WORDS);
    this.slices = this.#create("slices", 4 * sampleSlices(vocabulary));
    this.newRows = isGroupedKv(kvType) ? this.#createNewRows(config) : undefined;
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.memory.destroy(buffer);
  }

  #createNewRows({ kvHeads, headDim }: DecoderConfig): NewRows {
    const stride = this.chunkRows;
    const table = this.#create("new rows table", kvHeads * 4);
    const heads = Array.from({ length: kvHeads }, (_, head) => [head * stride, 0, stride, 0]);
    this.#gpu.device.queue.writeBuffer(table, 0, Uint32Array.from(heads.flat()));
    const [keys, values] = [
      this.#create("new keys", kvHeads * stride * headDim),
      this.#create("new values", kvHeads * stride * headDim),
    ];
    return { binding: { keys, values, table, layer: 0 }, stride };
  }

  #create(label: string, words: number): GPUBuffer {
    const buffer = this.#gpu.memory.storage("activations", label, words * 4);
    this.#buffers.push(buffer);
    return buffer;
  }
}
