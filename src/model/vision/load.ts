import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { ByteSource } from "../checkpoint/byteSource";
import type { ModelFiles } from "../checkpoint/files";
import { ModelError } from "../modelError";
import type { VisionEncoder } from "./encoder";
import type { EncoderWeights } from "./encoderWeights";
import { OnnxVisionEncoder } from "./onnxEncoder";

export interface LoadVisionArgs {
  readonly files: ModelFiles;
  readonly source: ByteSource;
  /** The family's encoder. */
  readonly weights: EncoderWeights;
  /** The kernel variants that the adapter passed the self-test with. */
  readonly variants: Promise<Variants>;
  readonly isSoftwareAdapter: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/**
 * A model directory's vision encoder: our own, from its safetensors, on a GPU. On a software
 * adapter ONNX Runtime's WebAssembly is about thirty times faster, so an ONNX file has priority
 * there. A directory with only an ONNX file uses ONNX Runtime on every adapter.
 * @throws ModelError
 */
export async function loadVisionEncoder(gpu: Gpu, args: LoadVisionArgs): Promise<VisionEncoder> {
  const { files, source, weights, variants, isSoftwareAdapter } = args;
  const { onnx } = weights;
  if (isSoftwareAdapter && onnx) {
    const encoder = await unlessMissing(OnnxVisionEncoder.load(gpu, files, onnx, "wasm"));
    if (encoder) return encoder;
  }
  if (!onnx || (await weights.isIn(source, args))) return weights.load(gpu, source, variants, args);
  return OnnxVisionEncoder.load(gpu, files, onnx, "webgpu");
}

async function unlessMissing<T>(loading: Promise<T>): Promise<T | undefined> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof ModelError && error.code === "missingFile") return undefined;
    throw error;
  }
}
