import type * as Ort from "onnxruntime-web/webgpu";
import type { Decoder } from "@/model/decoder/decoder";
import { createFill } from "../fill";
import { cacheNames, decoderGraph } from "./decoderGraph";
import type { OnnxFloats } from "./decoderTensors";

/** The part of ONNX Runtime Web that is used here. */
export type OrtModule = Pick<typeof Ort, "InferenceSession" | "Tensor">;

/** Biased exponent of the smallest numbers in a cache of noise. */
const CACHE_EXPONENT = 10;

/**
 * The weights of a decoder in ONNX Runtime Web on the same device: caches of a fixed capacity in our buffers, which a step
 * extends in place, and ids that stay on the GPU from step to step.
 */
export class OrtDecoder {
  readonly #ort: OrtModule;
  readonly #decoder: Decoder;
  readonly #session: Ort.InferenceSession;
  readonly type: OnnxFloats;
  readonly #capacity: number;
  readonly #caches: Readonly<Record<string, Ort.Tensor>>;
  readonly #presents: Readonly<Record<string, Ort.Tensor>>;
  readonly #buffers: readonly GPUBuffer[];

  private constructor(
    ort: OrtModule,
    decoder: Decoder,
    session: Ort.InferenceSession,
    { type, capacity }: { readonly type: OnnxFloats; readonly capacity: number },
  ) {
    this.#ort = ort;
    this.#decoder = decoder;
    this.#session = session;
    this.type = type;
    this.#capacity = capacity;
    const { layers, kvHeads, headDim } = decoder.config;
    const dims = [1, kvHeads, capacity, headDim];
    const bytes = kvHeads * capacity * headDim * (type === "float16" ? 2 : 4);
    const names = Array.from({ length: layers }, (_, layer) => cacheNames(layer)).flat();
    this.#buffers = names.map(({ past }) => decoder.gpu.memory.storage("kv", past, bytes));
    const tensor = (at: number) =>
      ort.Tensor.fromGpuBuffer(this.#buffers[at] as GPUBuffer, { dataType: type, dims });
    this.#caches = Object.fromEntries(names.map(({ past }, at) => [past, tensor(at)]));
    this.#presents = Object.fromEntries(names.map(({ present }, at) => [present, tensor(at)]));
  }

  /** @param capacity rows of every cache, and the number of positions */
  static async create(ort: OrtModule, decoder: Decoder, capacity: number): Promise<OrtDecoder> {
    const { gpu } = decoder;
    const type = gpu.features.f16 ? "float16" : "float32";
    const model = await decoderGraph(decoder, type, capacity);
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [{ name: "webgpu", device: gpu.device }],
      preferredOutputLocation: { next: "gpu-buffer" },
    });
    return new OrtDecoder(ort, decoder, session, { type, capacity });
  }

  /** Fills the caches with noise. */
  async fill(): Promise<void> {
    const fill = await createFill(this.#decoder.gpu);
    for (const buffer of this.#buffers) fill(buffer, CACHE_EXPONENT);
  }

  /** Appends `ids` to caches of `past` rows; resolves with the greedy id. */
  async prefill(ids: readonly number[], past = 0): Promise<number> {
    const values = BigInt64Array.from(ids, BigInt);
    const next = await this.#run(new this.#ort.Tensor("int64", values, [1, ids.length]), past);
    return idOf(next);
  }

  /**
   * Greedy steps after `first` on caches of `past` rows: the ids, and milliseconds between them. Each id is read before the
   * next step begins.
   */
  async decode(
    first: number,
    past: number,
    count: number,
  ): Promise<{ readonly ids: readonly number[]; readonly ms: readonly number[] }> {
    const [ids, ms]: [number[], number[]] = [[], []];
    let input: Ort.Tensor = new this.#ort.Tensor("int64", BigInt64Array.of(BigInt(first)), [1, 1]);
    let last = performance.now();
    for (let step = 0; step < count; step++) {
      input = await this.#run(input, past + step);
      ids.push(await idOf(input, false));
      const now = performance.now();
      ms.push(now - last);
      last = now;
    }
    return { ids, ms };
  }

  async destroy(): Promise<void> {
    await this.#session.release();
    for (const buffer of this.#buffers) this.#decoder.gpu.memory.destroy(buffer);
  }

  async #run(inputIds: Ort.Tensor, past: number): Promise<Ort.Tensor> {
    const total = past + (inputIds.dims[1] as number);
    if (total > this.#capacity) throw new RangeError(`${total} rows, ${this.#capacity} allocated`);
    const one = (value: number) => new this.#ort.Tensor("int32", Int32Array.of(value), [1]);
    const feeds = {
      input_ids: inputIds,
      seqlens_k: one(total - 1),
      total_sequence_length: one(total),
      ...this.#caches,
    };
    const outputs = await this.#session.run(feeds, { next: null, ...this.#presents });
    return outputs.next as Ort.Tensor;
  }
}

async function idOf(next: Ort.Tensor, isDisposed = true): Promise<number> {
  const [id] = (await next.getData(isDisposed)) as BigInt64Array;
  return Number(id);
}
