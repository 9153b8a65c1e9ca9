import fs from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { Matmul } from "@/gpu/kernels/matmul/matmul";
import { PLAIN, type Variants } from "@/gpu/variants";
import { diskSource } from "../../../cli/shared/disk";
import { createTestGpu } from "../../../test/dawn";
import { FAMILY_FIXTURES, FamilyArrays } from "../../../test/families";
import { parseConfig } from "../checkpoint/config";
import type { ProcessedImage } from "../families/family";
import { openVision } from "../families/openVision";
import { familyOf } from "../families/registry";
import type { VisionEncoder } from "./encoder";
import type { RangeMeter } from "./range";
import { RangedEncoder, type RangeMemory } from "./rangedEncoder";

const HALF: Variants = { ...PLAIN, matmul: "tiledF16" };
/** Inputs rounded to 11 bits. */
const HALF_TOLERANCE = 0.02;
const TOLERANCE = 1e-3;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

/** What is kept of a range. */
class Remembered implements RangeMemory {
  most: number | undefined;

  constructor(most?: number) {
    this.most = most;
  }

  async recall() {
    return this.most;
  }

  async keep(most: number) {
    this.most = most;
  }
}

/** An encoder that multiplies one row that reaches to `most`. */
function reaching(most: number, made: string[]) {
  return async (variants: Variants, meter?: RangeMeter): Promise<VisionEncoder> => {
    made.push(variants.matmul);
    const nothing: Matmul = () => {};
    return {
      tensorBytes: 1,
      async encode() {
        const buffer = gpu.memory.storage("vision", "row", 16);
        gpu.device.queue.writeBuffer(buffer, 0, Float32Array.of(1, -most, 2, 3));
        const recorder = gpu.recorder("test");
        const matrix = { label: "", dtype: "f32", rows: 4, columns: 4, parts: [] } as const;
        const args = { input: buffer, output: buffer, bias: buffer, matrix, rows: 1 };
        meter?.on(nothing)(recorder, args);
        recorder.submit();
        recorder.destroy();
        return { buffer, rows: 1, width: 4 };
      },
      project() {
        made.push(`${variants.matmul} projects`);
        return gpu.memory.storage("vision", "row", 16);
      },
      release: async () => {},
    };
  };
}

const IMAGE = {} as ProcessedImage;

describe("an encoder where f16 would be faster", () => {
  it.each([
    [100, ["tiled", "tiledF16"]],
    [40_000, ["tiled", "tiled"]],
    [Number.POSITIVE_INFINITY, ["tiled", "tiled"]],
  ])("is measured with its first image: up to %f", async (most, expected) => {
    const before = gpu.memory.bytes.activations;
    const made: string[] = [];
    const memory = new Remembered();
    const encoder = await RangedEncoder.create(gpu, {
      ...{ make: reaching(most, made), variants: HALF, memory },
    });
    const first = await encoder.encode(IMAGE);
    const second = await encoder.encode(IMAGE);
    expect(made).toEqual(expected);
    const isWide = expected[1] === "tiled";
    expect(first.notices).toEqual(isWide ? [{ code: "encoderRange", most: memory.most }] : []);
    expect(second.notices, "it is said once").toBeUndefined();
    if (Number.isFinite(most)) expect(memory.most).toBe(most);
    // The measuring encoder's buffers are gone.
    gpu.memory.destroy(encoder.project(new Float32Array(4)));
    expect(made.at(-1)).toBe(`${expected[1]} projects`);
    for (const { buffer } of [first, second]) gpu.memory.destroy(buffer);
    await encoder.release();
    expect(gpu.memory.bytes.activations).toBe(before);

    const later: string[] = [];
    const again = await RangedEncoder.create(gpu, {
      ...{ make: reaching(most, later), variants: HALF, memory },
    });
    expect(later).toEqual([expected[1]]);
    expect(again.notices).toHaveLength(isWide ? 1 : 0);
    await again.release();
  });
});

// Without f16 there is no choice, and on a software adapter such kernels take half a minute to compile.
describe.skipIf(!gpu.features.f16).each(["llava-1.5", "qwen2.5-vl"])(
  "the encoder of %s",
  (name) => {
    const folder = `${FAMILY_FIXTURES}/${name}`;
    const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
    const { weights } = openVision(familyOf(json)!.vision!, json, parseConfig(json));
    const arrays = new FamilyArrays(name);
    const [tiles = 1, , height = 0, width = 0] = arrays.shape("pixels/busy");
    const { image_mean: mean, image_std: std } = JSON.parse(
      fs.readFileSync(`${folder}/preprocessor_config.json`, "utf8"),
    );
    const pixelValues = Float32Array.from(arrays.bytes("pixels/busy"), (value, i) => {
      const channel = Math.floor(i / (height * width)) % 3;
      return (value / 255 - mean[channel]) / std[channel];
    });
    const geometry = { grid: { rows: 0, columns: 0 }, tiles: [] };
    const image = { pixelValues, tiles, height, width, geometry };

    async function farthest(encoder: VisionEncoder) {
      const { buffer, rows, width: wide } = await encoder.encode(image);
      const actual = new Float32Array(await gpu.read(buffer, 0, rows * wide * 4));
      gpu.memory.destroy(buffer);
      const expected = arrays.floats("features/busy");
      expect(actual).toHaveLength(expected.length);
      return expected.reduce((most, x, i) => Math.max(most, Math.abs(x - actual[i]!)), 0);
    }

    it("computes in f32 where its range is known to be too wide", async () => {
      const range = new Remembered(1e5);
      const encoder = await weights.load(gpu, diskSource(folder), HALF, { range });
      expect(encoder.notices).toEqual([{ code: "encoderRange", most: 1e5 }]);
      expect(await farthest(encoder)).toBeLessThan(TOLERANCE);
      await encoder.release();
    });

    it("computes in f16 after its range was measured", async () => {
      const range = new Remembered();
      const encoder = await weights.load(gpu, diskSource(folder), HALF, { range });
      expect(await farthest(encoder)).toBeLessThan(TOLERANCE);
      expect(range.most).toBeGreaterThan(0.5);
      expect(range.most).toBeLessThan(1000);
      const rounded = await farthest(encoder);
      expect(rounded).toBeLessThan(HALF_TOLERANCE);
      expect(rounded, "it does round").toBeGreaterThan(1e-6);
      await encoder.release();
    });
  },
);
