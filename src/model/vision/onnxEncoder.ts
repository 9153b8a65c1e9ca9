import type { Gpu } from "@/gpu/gpu";
import { type ModelFiles, substituteOf } from "../checkpoint/files";
import type { ProcessedImage } from "../families/family";
import { ModelError } from "../modelError";
import type { ImageFeatures, VisionEncoder } from "./encoder";
import { ort, withOrt } from "./ort";

/** The output that exporters call so; where none is, the first one counts. */
const FEATURES = "image_features";

/** Full precision first; some directories have reduced precision instead. */
const FILES = ["", "_fp16", "_quantized", "_int8", "_uint8", "_q4f16", "_q4", "_bnb4"].map(
  (suffix) => `onnx/vision_encoder${suffix}.onnx`,
);

/**
 * A vision encoder that a directory has as ONNX, run by ONNX Runtime. On a real adapter it runs on our own device and its
 * output never leaves the GPU; on a software adapter WebAssembly is some thirty times faster, so
 * it runs there and the features are uploaded.
 */
export class OnnxVisionEncoder implements VisionEncoder {
  readonly tensorBytes = 0;
  readonly #gpu: Gpu;
  readonly #session: ort.InferenceSession;
  readonly #output: string;

  private constructor(gpu: Gpu, session: ort.InferenceSession, output: string) {
    this.#gpu = gpu;
    this.#session = session;
    this.#output = output;
  }

  /** @throws ModelError */
  static async load(
    gpu: Gpu,
    files: ModelFiles,
    provider: "webgpu" | "wasm",
  ): Promise<OnnxVisionEncoder> {
    const { name, bytes } = await files.firstOf(FILES);
    const options: ort.InferenceSession.SessionOptions =
      provider === "wasm"
        ? { executionProviders: ["wasm"] }
        : {
            executionProviders: [{ name: "webgpu", device: gpu.device }],
            preferredOutputLocation: "gpu-buffer",
          };
    const substitute = substituteOf(bytes);
    if (substitute) {
      const message = `The model's file ${name} is ${substitute}, not the encoder itself.`;
      throw new ModelError("badModel", message);
    }
    try {
      const session = await withOrt(() => ort.InferenceSession.create(bytes, options));
      const output = session.outputNames.find((each) => each === FEATURES);
      return new OnnxVisionEncoder(gpu, session, output ?? (session.outputNames[0] as string));
    } catch (cause) {
      const message = `The model's vision encoder ${name} cannot be run here.`;
      throw new ModelError("badModel", message, { cause });
    }
  }

  async encode(image: ProcessedImage): Promise<ImageFeatures> {
    const outputs = await this.#run(image);
    const features = outputs[this.#output] as ort.Tensor;
    try {
      const [tiles = 0, rowsPerTile = 0, width = 0] = features.dims;
      if (tiles !== image.tiles || features.type !== "float32") {
        const [gave, wanted] = [
          `${features.type} [${features.dims}]`,
          `float32 [${image.tiles}, …]`,
        ];
        throw new ModelError("badModel", `The vision encoder gives ${gave}, not ${wanted}.`);
      }
      return { buffer: this.#own(features), rows: tiles * rowsPerTile, width };
    } finally {
      for (const output of Object.values(outputs)) output.dispose();
    }
  }

  async #run(image: ProcessedImage): Promise<ort.InferenceSession.OnnxValueMapType> {
    try {
      return await withOrt(() => this.#session.run(this.#feeds(image)));
    } catch (cause) {
      const size = `${image.width} × ${image.height}`;
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

  #feeds({ pixelValues, tiles, height, width }: ProcessedImage): Record<string, ort.Tensor> {
    const feeds: Record<string, ort.Tensor> = {
      pixel_values: new ort.Tensor("float32", pixelValues, [1, tiles, 3, height, width]),
    };
    if (this.#session.inputNames.includes("pixel_attention_mask")) {
      const mask = new Uint8Array(tiles * height * width).fill(1);
      feeds.pixel_attention_mask = new ort.Tensor("bool", mask, [1, tiles, height, width]);
    }
    return feeds;
  }
}
