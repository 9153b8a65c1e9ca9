import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { computedSpan } from "../request/prefillSpan";
import { mergedRows } from "./mergedFeatures";
import { plannedFeatures } from "./pruning";

beforeAll(stubGpuConstants);
afterAll(() => vi.unstubAllGlobals());

it("averages each row with those that merge into it, or adds their mean", () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 9, 7, 7);
  const into = Int32Array.of(2, -1, -1, 2);
  const means = mergedRows(data, 2, into);
  expect([...means]).toEqual([1, 2, 3, 4, (1 + 5 + 7) / 3, 6, 7, 7].map(Math.fround));
  expect([...mergedRows(data, 2, into, "add")]).toEqual([1, 2, 3, 4, 5 + 4, 9 + 4.5, 7, 7]);
});

it("counts the computed rows of a span", () => {
  const visual = [
    { start: 2, end: 5 },
    { start: 6, end: 8 },
  ];
  const span = { start: 0, rows: 10, visual, textStart: 8 };
  const kept = Uint32Array.of(0, 1, 3, 5, 8, 9);
  expect(computedSpan({ ...span, kept })).toEqual({
    rows: 6,
    visual: [{ start: 2, end: 3 }],
    textStart: 4,
  });
  expect(computedSpan(span)).toEqual({ rows: 10, visual, textStart: 8 });
});

it("frees all levels of an image that was encoded smaller if one of them finds no room", async () => {
  const gpu = fakeGpu();
  const { storage, destroy } = gpu.memory;
  const level = (name: string) => storage.call(gpu.memory, "vision", name, 64);
  const keep = [Uint32Array.of(0, 1, 2)];
  const plan = { layers: [{ keep }], smaller: [[1, 2] as const] };
  const smaller = async () => ({ buffer: level("a"), rows: 2, width: 4, deepstack: [level("b")] });
  const image = {
    smaller,
    tiles: 1,
    rows: 3,
    width: 4,
    buffer: level("whole"),
    attention: undefined,
  };
  const features = [{ features: image.buffer, firstRow: 0, rows: 3 }];
  vi.spyOn(gpu.memory, "storage").mockImplementation((_, label, bytes) => {
    throw new OutOfMemoryError(label, bytes, 0);
  });
  const change = { gpu, plan, visual: [1, 2], width: 4, made: [] };
  const encoded = { images: [image], features } as never;
  await expect(plannedFeatures(change, encoded)).rejects.toThrow(OutOfMemoryError);
  destroy.call(gpu.memory, image.buffer);
  expect(gpu.memory.bytes.vision).toBe(0);
});
