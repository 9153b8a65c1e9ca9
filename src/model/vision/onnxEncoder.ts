import type { Gpu } from "@/gpu/gpu";
import { shown } from "@/text/shown";
import { type ModelFiles, substituteOf } from "../checkpoint/files";
import type { ProcessedImage } from "../families/family";
import { ModelError } from "../modelError";
import type { EncodeOptions, ImageFeatures, VisionEncoder } from "./encoder";
import {
  checkFeatures,
  type EncoderShape,
  isProven,
  type OnnxCall,
  type OnnxInterface,
  onnxCall,
} from "./onnxContract";
import { ort, withOrt } from "./ort";

/** Full precision first; some directories have reduced precision instead. */
const FILES = ["", "_fp16", "_quantized", "_int8", "_uint8", "_q4f16", "_q4", "_bnb4"].map(
  (suffix) => `onnx/vision_encoder${suffix}.onnx`,
);

/**
 * A vision encoder that a directory has as ONNX, run by ONNX Runtime: on our own device, where its output never leaves
 * the GPU, or in WebAssembly, from where the features are uploaded. A software adapter takes minutes to compile ONNX
 * Runtime's kernels.
 */
export class OnnxVisionEncoder implements VisionEncoder {
  readonly tensorBytes = 0;
  readonly #gpu: Gpu;
  readonly #session: ort.InferenceSession;
  readonly #name: string;
  readonly #shape: EncoderShape;
  readonly #call: OnnxCall;

  private constructor(gpu: Gpu, session: ort.InferenceSession, name: string, shape: EncoderShape) {
    this.#gpu = gpu;
    this.#session = session;
    this.#name = name;
    this.#shape = shape;
    this.#call = onnxCall(interfaceOf(name, session), shape);
  }

  /** @throws ModelError, also if the file's features do not fit the prompt */
  static async load(
    gpu: Gpu,
    files: ModelFiles,
    shape: EncoderShape,
    provider: "webgpu" | "wasm",
  ): Promise<OnnxVisionEncoder> {
    const { name, bytes } = await files.firstOf(FILES);
    const substitute = substituteOf(bytes);
    if (substitute) {
      const message = `The model's file ${name} is ${substitute}, not the encoder itself.`;
      throw new ModelError("badModel", message);
    }
    const session = await createSession(gpu, name, bytes, provider);
    try {
      const encoder = new OnnxVisionEncoder(gpu, session, name, shape);
      if (!isProven(interfaceOf(name, session), encoder.#call, shape)) await encoder.#try();
      return encoder;
    } catch (error) {
      await withOrt(() => session.release());
      throw error;
    }
  }

  async encode(
    { pixelValues, tiles, height, width }: ProcessedImage,
    options: EncodeOptions = {},
  ): Promise<ImageFeatures> {
    if (options.attention) {
      const message =
        "The model's vision encoder runs from an ONNX file, which gives no attention.";
      throw new ModelError("badModel", message);
    }
    const outputs = await this.#run(pixelValues, [tiles, 3, height, width]);
    try {
      const features = outputs[this.#call.output] as ort.Tensor;
      checkFeatures(this.#name, features, tiles, this.#shape);
      const { rows, width } = this.#shape;
      return { buffer: this.#own(features), rows: tiles * rows, width };
    } finally {
      for (const output of Object.values(outputs)) output.dispose();
    }
  }

  /** Encodes one black tile, because the file does not say what it gives. */
  async #try(): Promise<void> {
    const { tileSize } = this.#shape;
    const outputs = await this.#run(new Float32Array(3 * tileSize ** 2), [
      1,
      3,
      tileSize,
      tileSize,
    ]);
    const features = outputs[this.#call.output] as ort.Tensor;
    try {
      checkFeatures(this.#name, features, 1, this.#shape);
    } finally {
      for (const output of Object.values(outputs)) output.dispose();
    }
  }

  /** @param dims [tiles, 3, height, width] */
  async #run(
    pixelValues: Float32Array,
    dims: readonly [number, number, number, number],
  ): Promise<ort.InferenceSession.OnnxValueMapType> {
    try {
      return await withOrt(() => this.#session.run(this.#feeds(pixelValues, dims)));
    } catch (cause) {
      const size = `${dims[3]} × ${dims[2]}`;
      const message = `The model's vision encoder cannot be run on tiles of ${size} pixels.`;
      throw new ModelError("badModel", message, { cause });
    }
  }

  release(): Promise<void> {
    return withOrt(() => this.#session.release());
  }

  /** Copies into our own buffer; queue order allows the runtime to reuse its buffer at once. */
  #own(features: ort.Tensor): GPUBuffer {
    const { memory, device } = this.#gpu;
    const bytes = features.size * Float32Array.BYTES_PER_ELEMENT;
    const buffer = memory.storage("vision", "image features", bytes);
    if (features.location === "gpu-buffer") {
      // The runtime rounds its buffer sizes up: copy only the used part.
      const encoder = device.createCommandEncoder({ label: "image features" });
      encoder.copyBufferToBuffer(features.gpuBuffer as GPUBuffer, 0, buffer, 0, bytes);
      device.queue.submit([encoder.finish()]);
    } else {
      device.queue.writeBuffer(buffer, 0, features.data as Float32Array<ArrayBuffer>);
    }
    return buffer;
  }

  #feeds(
    pixelValues: Float32Array,
    dims: readonly [number, number, number, number],
  ): Record<string, ort.Tensor> {
    const [tiles, , height, width] = dims;
    const batch = this.#call.rank === 5 ? [1] : [];
    const feeds: Record<string, ort.Tensor> = {
      pixel_values: new ort.Tensor("float32", pixelValues, [...batch, ...dims]),
    };
    if (this.#call.hasMask) {
      const mask = new Uint8Array(tiles * height * width).fill(1);
      feeds.pixel_attention_mask = new ort.Tensor("bool", mask, [...batch, tiles, height, width]);
    }
    return feeds;
  }
}

function interfaceOf(name: string, session: ort.InferenceSession): OnnxInterface {
  return { name, inputs: session.inputMetadata, outputs: session.outputMetadata };
}

async function createSession(
  gpu: Gpu,
  name: string,
  bytes: Uint8Array,
  provider: "webgpu" | "wasm",
): Promise<ort.InferenceSession> {
  const options: ort.InferenceSession.SessionOptions =
    provider === "wasm"
      ? { executionProviders: ["wasm"] }
      : {
          executionProviders: [{ name: "webgpu", device: gpu.device }],
          preferredOutputLocation: "gpu-buffer",
        };
  try {
    return await withOrt(() => ort.InferenceSession.create(bytes, options));
  } catch (cause) {
    const second = /external data file "*([^",]+)/i.exec(String(cause))?.[1];
    const why = second
      ? `keeps its weights in a second file, ${shown(second)}, which is not read here`
      : "cannot be run here";
    throw new ModelError("badModel", `The model's vision encoder ${name} ${why}.`, { cause });
  }
}
