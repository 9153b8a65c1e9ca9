import { afterEach, expect, it, vi } from "vitest";
import { fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { memorySource } from "../../../test/memorySource";
import { ModelFiles } from "../checkpoint/files";
import type { ProcessedImage } from "../families/family";
import { ModelError } from "../modelError";
import type { VisionEncoder } from "./encoder";
import type { EncoderWeights } from "./encoderWeights";
import { loadVisionEncoder } from "./load";
import { OnnxVisionEncoder } from "./onnxEncoder";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

it("loads the encoder for what an ONNX file does not give again, if the connection broke", async () => {
  stubGpuConstants();
  const onnx = { encode: vi.fn(), release: async () => {} } as unknown as OnnxVisionEncoder;
  vi.spyOn(OnnxVisionEncoder, "load").mockResolvedValue(onnx);
  const features = { rows: 4 };
  const tower = { encode: async () => features, release: async () => {} };
  const load = vi
    .fn<() => Promise<VisionEncoder>>()
    .mockRejectedValueOnce(new ModelError("network", "The connection broke."))
    .mockResolvedValue(tower as unknown as VisionEncoder);
  const shape = { tileSize: 8, rows: 4, width: 4 };
  const encoder = await loadVisionEncoder(fakeGpu(), {
    files: new ModelFiles("https://model.invalid/"),
    source: memorySource({}),
    weights: { onnx: shape, isIn: async () => true, load } as unknown as EncoderWeights,
    variants: new Promise(() => {}),
    isSoftwareAdapter: true,
  });
  const image = { width: 8 } as ProcessedImage;
  await expect(encoder.encode(image, { attention: true })).rejects.toThrow("broke");
  expect(await encoder.encode(image, { attention: true })).toBe(features);
  await encoder.encode(image, { attention: true });
  expect(load).toHaveBeenCalledTimes(2);
});
