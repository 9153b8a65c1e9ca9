import type { KernelCount } from "@/gpu/gpu";
import type { ModelLoadOptions, ModelLoadProgress } from "./loadLanguage";

/** What counts the kernels of a device; `Gpu` does. */
interface KernelCounter {
  readonly kernelCount: KernelCount;
  watchKernels(watch: (count: KernelCount) => void): () => void;
}

/**
 * Adds the kernels of one load to its progress, and tells the latest progress again whenever their count
 * changes. `end` stops watching.
 */
export function withKernels(
  gpu: KernelCounter,
  onProgress: ModelLoadOptions["onProgress"],
): { readonly onProgress: ModelLoadOptions["onProgress"]; readonly end: () => void } {
  const before = gpu.kernelCount;
  let latest: ModelLoadProgress | undefined;
  const tell = ({ compiled, asked }: KernelCount) => {
    const kernels = { compiled: compiled - before.compiled, asked: asked - before.asked };
    if (latest) onProgress({ ...latest, kernels });
  };
  return {
    onProgress(progress) {
      latest = progress;
      tell(gpu.kernelCount);
    },
    end: gpu.watchKernels(tell),
  };
}
