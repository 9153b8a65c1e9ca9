import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type KernelSpec, PARAM_BYTES } from "@/gpu/kernel";
import { Recorder } from "@/gpu/recorder";
import { fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { KvCache } from "../kv/cache";
import { Scratch } from "../scratch";
import { TapRecorder } from "./taps";

beforeEach(stubGpuConstants);
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A device that records every dispatch and computes zeros. */
function recordingGpu() {
  const gpu = fakeGpu();
  const compile = async ({ label, params }: KernelSpec) => ({
    label,
    params,
    pipeline: {},
    layout: {},
  });
  const recorder = (label: string, slots = 4096) =>
    new Recorder(gpu.device, gpu.memory, { label, slots });
  return Object.assign(gpu, { compile, recorder }) as unknown as typeof gpu;
}

it("reduces as many rows as it stores, over more keys than a block of two rows holds", async () => {
  const gpu = recordingGpu();
  const cache = KvCache.create(gpu, { layers: 1, kvHeads: 1, headDim: 4, kvType: "f16" });
  const rows = 2 ** 16;
  const textStart = rows - 2048;
  const prompt = { rows, visual: [{ start: 0, end: 64 }], textStart };
  const spec = { postVision: { threshold: 0.01 }, textImage: true } as const;
  const heads = 64;
  const taps = await TapRecorder.create(gpu, { cache, heads, spec, prompt, reduction: "one" });
  cache.ensureRows(rows);
  const chunk = { layer: 0, rows: 1024, ...{ q: cache.table, lse: cache.table } };
  const prefill = gpu.recorder("prefill");
  for (const firstRow of [textStart, textStart + 1024]) {
    taps.afterAttention(prefill, { ...chunk, firstRow });
  }
  const read = vi.spyOn(Scratch.prototype, "read");
  read.mockImplementation(async (buffers) => buffers.map(({ size }) => new ArrayBuffer(size)));
  const values = await taps.finish();
  expect(values.textImage?.textWeight.rows).toBe(2048);
  cache.destroy();
  expect(gpu.memory.bytes.activations).toBe(4096 * PARAM_BYTES); // of `prefill`
});
