import fs from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { Variants } from "@/gpu/variants";
import { diskSource } from "../../../cli/shared/disk";
import { createTestGpu } from "../../../test/dawn";
import type { VisionFamily } from "../families/family";
import { idefics3 } from "../families/idefics3/idefics3";
import { tiledGeometry } from "../families/tiledGeometry";
import { VisionTower } from "./tower";
import { loadTowerWeights } from "./towerWeights";

/** Against PyTorch in float32, from the same pixels and BF16 weights. */
const TOLERANCE = 1e-3;
const MODEL = "public/models/tiny-smolvlm";
const FIXTURE = "fixtures/vision";

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

const floats = (name: string) => {
  const bytes = fs.readFileSync(`${FIXTURE}/${name}`);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};
const { shapes } = JSON.parse(fs.readFileSync(`${FIXTURE}/reference.json`, "utf8"));
const [, tiles, , height, width] = shapes.pixel_values as number[];
const image = {
  pixelValues: floats("pixel_values.bin"),
  tiles: tiles!,
  height: height!,
  width: width!,
  geometry: tiledGeometry({ rows: 2, columns: 2 }, 16),
};

async function load(variants: Variants): Promise<VisionTower> {
  const json = JSON.parse(fs.readFileSync(`${MODEL}/config.json`, "utf8"));
  const { tower, names } = idefics3.vision as VisionFamily;
  const config = tower(json, json.text_config.hidden_size);
  const weights = await loadTowerWeights(gpu, { config, names }, diskSource(MODEL));
  return VisionTower.create(gpu, config, weights, { variants });
}

const VARIANTS: readonly Variants[] = [
  { reduction: "one", matmul: "registers", flash: "plain", attend: "wide" },
  { reduction: "workgroup", matmul: "tiled", flash: "tiled", attend: "wide" },
  { reduction: "subgroup", matmul: "subgroup", flash: "subgroup", attend: "wide" },
];

describe("the vision tower", () => {
  it.each(VARIANTS)("gives PyTorch's features with $matmul, $flash", async (variants) => {
    const before = gpu.memory.bytes;
    const tower = await load(variants);
    const features = await tower.encode(image, { attention: true });
    const [tiles, rowsPerTile, width] = shapes.image_features as [number, number, number];
    expect([features.rows, features.width]).toEqual([tiles * rowsPerTile, width]);
    const actual = new Float32Array(await gpu.read(features.buffer));
    const expected = floats("image_features.bin");
    const worst = expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
    expect(worst).toBeLessThan(TOLERANCE);
    // Each tile's patches give away one, and every patch is in a feature row.
    const received = features.attention!;
    expect(received.length).toBe(features.rows);
    for (let tile = 0; tile < tiles; tile++) {
      const own = received.subarray(tile * rowsPerTile, (tile + 1) * rowsPerTile);
      expect(own.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 4);
      expect(Math.max(...own)).toBeGreaterThan(Math.min(...own) + 1e-3);
    }
    gpu.memory.destroy(features.buffer);
    await tower.release();
    expect(gpu.memory.bytes).toEqual(before);
  });

  it("takes smaller tiles, with positions at the same fractions as PyTorch's Idefics3", async () => {
    const tower = await load(VARIANTS[0]!);
    const side = 48;
    const planes = tiles! * 3;
    const lines = Array.from({ length: planes * side }, (_, i) => {
      const first = (Math.floor(i / side) * height! + (i % side)) * width!;
      return [...image.pixelValues.subarray(first, first + side)];
    });
    const pixelValues = Float32Array.from(lines.flat());
    const { buffer, rows } = await tower.encode({
      ...image,
      pixelValues,
      width: side,
      height: side,
    });
    expect(rows).toBe(tiles! * 9);
    const actual = new Float32Array(await gpu.read(buffer));
    const expected = floats("smaller_features.bin");
    expect(expected).toHaveLength(actual.length);
    const worst = expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
    expect(worst).toBeLessThan(TOLERANCE);
    gpu.memory.destroy(buffer);
    await expect(tower.encode({ ...image, width: 40, height: 40 })).rejects.toThrow(RangeError);
    await tower.release();
  });
});
