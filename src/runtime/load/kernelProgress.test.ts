import { expect, test } from "vitest";
import type { KernelCount } from "@/gpu/gpu";
import { withKernels } from "./kernelProgress";
import type { ModelLoadProgress } from "./loadLanguage";

test("progress counts the kernels of its own load, and is told again for each of them", () => {
  const watchers = new Set<(count: KernelCount) => void>();
  const told: ModelLoadProgress[] = [];
  let kernelCount = { compiled: 7, asked: 7 };
  const counter = {
    get kernelCount() {
      return kernelCount;
    },
    watchKernels(watch: (count: KernelCount) => void) {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
  };
  const change = (count: KernelCount) => {
    kernelCount = count;
    for (const watch of watchers) watch(count);
  };
  const { onProgress, end } = withKernels(counter, (progress) => told.push(progress));
  change({ compiled: 7, asked: 8 });
  expect(told).toEqual([]);
  const file = {
    file: "model.safetensors",
    loadedBytes: 1,
    totalBytes: 2,
    phase: "download",
  } as const;
  onProgress(file);
  change({ compiled: 8, asked: 10 });
  end();
  change({ compiled: 9, asked: 10 });
  expect(told).toEqual([
    { ...file, kernels: { compiled: 0, asked: 1 } },
    { ...file, kernels: { compiled: 1, asked: 3 } },
  ]);
});
