import type { Gpu } from "@/gpu/gpu";
import fill from "./fill.wgsl?raw";

/** Fills a buffer with f16 numbers of both signs from 2^(exponent − 15) to below 16 times that. */
export type Fill = (buffer: GPUBuffer, exponent: number) => void;

const MOST_GROUPS = 65_535;

/** Noise made on the GPU: a cache or weights of gigabytes would take seconds to upload. */
export async function createFill(gpu: Gpu): Promise<Fill> {
  const kernel = await gpu.compile({
    label: "fill",
    code: [fill],
    access: ["write"],
    params: { count: "u32", seed: "u32", exponent: "u32" },
  });
  let seed = 0;
  return (buffer, exponent) => {
    const recorder = gpu.recorder("fill", 1);
    const count = buffer.size / 4;
    const groups = [Math.min(MOST_GROUPS, Math.ceil(count / 256))] as const;
    seed = (seed + 0x9e3779b9) >>> 0;
    recorder.dispatch(kernel, { buffers: [buffer], params: { count, seed, exponent }, groups });
    recorder.submit();
    recorder.destroy();
  };
}
