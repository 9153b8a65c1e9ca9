import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { randomTensors, SMALL } from "../../../test/checkpoint";
import { fakeDevice, fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { safetensors } from "../../../test/memorySource";
import type { ByteSource } from "./byteSource";
import { loadWeights } from "./weights";

beforeEach(stubGpuConstants);
afterEach(() => vi.unstubAllGlobals());

it("a model of 300 MB is refused on an adapter of 256 MB before a buffer or a byte of it", async () => {
  const header: Record<string, object> = {};
  const scale = { ...SMALL, hidden: 12, vocabulary: 6_250_000 };
  let end = 0;
  for (const [name, { shape }] of randomTensors(SMALL)) {
    const wide = shape[0] === SMALL.vocabulary ? [scale.vocabulary, SMALL.hidden] : shape;
    const bytes = 2 * wide.reduce((product, extent) => product * extent, 1);
    header[name] = { dtype: "BF16", shape: wide, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const file = safetensors(header, 0);
  const read = vi.fn<ByteSource["read"]>(async (_, from, to) => file.subarray(from, to));
  const source: ByteSource = {
    size: async (name) => (name === "model.safetensors" ? file.length + end : undefined),
    read,
  };
  const gpu = fakeGpu(fakeDevice());
  gpu.memory.limit = 256e6;
  const loading = loadWeights(gpu, scale, source);
  await expect(loading).rejects.toThrow(OutOfMemoryError);
  await expect(loading).rejects.toMatchObject({ needed: end, free: 256e6 });
  expect(gpu.memory.bytes.weights).toBe(0);
  expect(read).toHaveBeenCalledTimes(2); // the header's length, and the header
});
