import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { ByteSource } from "../checkpoint/byteSource";
import type { ModelFiles } from "../checkpoint/files";
import type { NarrowOption } from "../checkpoint/weightTypes";
import type { ProcessedImage } from "../families/family";
import { ModelError } from "../modelError";
import type { EncodeOptions, ImageFeatures, VisionEncoder } from "./encoder";
import type { EncoderWeights } from "./encoderWeights";
import { OnnxVisionEncoder } from "./onnxEncoder";
import type { RangeMemory } from "./rangedEncoder";

interface LoadVisionArgs extends NarrowOption {
  readonly files: ModelFiles;
  readonly source: ByteSource;
  /** The family's encoder. */
  readonly weights: EncoderWeights;
  /** The kernel variants that the adapter passed the self-test with. */
  readonly variants: Promise<Variants>;
  readonly isSoftwareAdapter: boolean;
  /** Of the range of its activations. */
  readonly range?: RangeMemory;
  readonly signal?: AbortSignal;
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/**
 * A model directory's vision encoder: our own, from its safetensors, on a GPU. On a software
 * adapter ONNX Runtime's WebAssembly is about thirty times faster, so an ONNX file has priority
 * there; our own then gives what an ONNX file does not. A directory with only an ONNX file uses ONNX Runtime on every adapter.
 * @throws ModelError
 */
export async function loadVisionEncoder(gpu: Gpu, args: LoadVisionArgs): Promise<VisionEncoder> {
  const { files, source, weights, variants, isSoftwareAdapter, range, narrows = false } = args;
  const { onnx } = weights;
  if (isSoftwareAdapter && onnx) {
    const encoder = await unlessMissing(OnnxVisionEncoder.load(gpu, files, onnx, "wasm"));
    const load = () => weights.load(gpu, source, variants, { narrows, ...(range && { range }) });
    if (encoder) {
      return (await weights.isIn(source, args)) ? new WithTower(encoder, weights, load) : encoder;
    }
  }
  if (!onnx || (await weights.isIn(source, args))) return weights.load(gpu, source, variants, args);
  return OnnxVisionEncoder.load(gpu, files, onnx, "webgpu");
}

/** An ONNX encoder, and our own for what it does not give, which is loaded when that is asked for. */
class WithTower implements VisionEncoder {
  readonly smaller: VisionEncoder["smaller"];
  readonly #onnx: VisionEncoder;
  readonly #tileSize: number | undefined;
  readonly #load: () => Promise<VisionEncoder>;
  #tower: Promise<VisionEncoder> | undefined;

  constructor(
    onnx: VisionEncoder,
    { onnx: shape, smaller }: EncoderWeights,
    load: () => Promise<VisionEncoder>,
  ) {
    this.smaller = smaller;
    this.#tileSize = shape?.tileSize;
    this.#onnx = onnx;
    this.#load = load;
  }

  get tensorBytes(): number {
    return this.#onnx.tensorBytes;
  }

  async encode(image: ProcessedImage, options: EncodeOptions = {}): Promise<ImageFeatures> {
    if (!options.attention && image.width === this.#tileSize) return this.#onnx.encode(image);
    this.#tower ??= this.#load().catch((error: unknown) => {
      this.#tower = undefined;
      throw error;
    });
    return (await this.#tower).encode(image, options);
  }

  async release(): Promise<void> {
    await this.#onnx.release();
    await (await this.#tower?.catch(() => undefined))?.release();
  }
}

async function unlessMissing<T>(loading: Promise<T>): Promise<T | undefined> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof ModelError && error.code === "missingFile") return undefined;
    throw error;
  }
}
