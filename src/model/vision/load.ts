import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { ByteSource } from "../checkpoint/byteSource";
import type { ModelFiles } from "../checkpoint/files";
import { ModelError } from "../modelError";
import type { VisionEncoder } from "./encoder";
import { OnnxVisionEncoder } from "./onnxEncoder";
import { VisionTower } from "./tower";
import type { TowerConfig } from "./towerConfig";
import type { TowerNames } from "./towerNames";
import { hasTowerWeights, loadTowerWeights } from "./towerWeights";

export interface LoadVisionArgs {
  readonly files: ModelFiles;
  readonly source: ByteSource;
  readonly config: TowerConfig;
  /** Where the family keeps the encoder's tensors. */
  readonly names: TowerNames;
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
  const { files, source, config, names, variants, isSoftwareAdapter } = args;
  if (isSoftwareAdapter) {
    const encoder = await unlessMissing(OnnxVisionEncoder.load(gpu, files, "wasm"));
    if (encoder) return encoder;
  }
  if (await hasTowerWeights(source, names, args)) {
    const weights = await loadTowerWeights(gpu, config, source, names, args);
    try {
      return await VisionTower.create(gpu, config, weights, await variants);
    } catch (error) {
      weights.destroy();
      throw error;
    }
  }
  return OnnxVisionEncoder.load(gpu, files, "webgpu");
}

async function unlessMissing<T>(loading: Promise<T>): Promise<T | undefined> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof ModelError && error.code === "missingFile") return undefined;
    throw error;
  }
}
