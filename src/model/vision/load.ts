import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { ByteSource } from "../checkpoint/byteSource";
import type { ModelFiles } from "../checkpoint/files";
import type { NarrowOption } from "../checkpoint/weightTypes";
import type { VisionEncoder } from "./encoder";
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
 * A model directory's vision encoder: our own, from its safetensors. A directory that has the encoder as ONNX only
 * uses ONNX Runtime, which computes on the CPU where the adapter is software.
 * @throws ModelError
 */
export async function loadVisionEncoder(gpu: Gpu, args: LoadVisionArgs): Promise<VisionEncoder> {
  const { files, source, weights, variants, isSoftwareAdapter } = args;
  const { onnx } = weights;
  if (!onnx || (await weights.isIn(source, args))) return weights.load(gpu, source, variants, args);
  return OnnxVisionEncoder.load(gpu, files, onnx, isSoftwareAdapter ? "wasm" : "webgpu");
}
