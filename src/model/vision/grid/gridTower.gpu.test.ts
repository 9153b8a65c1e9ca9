import fs from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { Variants } from "@/gpu/variants";
import { resample } from "@/images/resample";
import { diskSource } from "../../../../cli/shared/disk";
import { readPng } from "../../../../cli/shared/png";
import { createTestGpu } from "../../../../test/dawn";
import { FAMILY_FIXTURES, FamilyArrays } from "../../../../test/families";
import { diskFetch, diskUrl } from "../../../../test/files";
import { parseConfig } from "../../checkpoint/config";
import { ModelFiles } from "../../checkpoint/files";
import { openVision } from "../../families/openVision";
import { familyOf } from "../../families/registry";
import { featureBuffers } from "../encoder";
import type { GridTower } from "./gridTower";

/** Against PyTorch in float32, from the same pixels and BF16 weights. */
const TOLERANCE = 1e-3;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

/** The families' own tests run the plain variants, `tower.gpu.test.ts` products in tiles. */
const VARIANTS: readonly (readonly [name: string, variants: Variants])[] = [
  ["qwen2.5-vl", { reduction: "workgroup", matmul: "registers", flash: "tiled", attend: "wide" }],
  ["qwen3-vl", { reduction: "subgroup", matmul: "subgroup", flash: "subgroup", attend: "wide" }],
];

describe("the grid tower", () => {
  it.each(VARIANTS)("gives PyTorch's features of %s with %o", async (name, variants) => {
    const folder = `${FAMILY_FIXTURES}/${name}`;
    const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
    const config = parseConfig(json);
    const opened = openVision(familyOf(json)!.vision!, json, config);
    const files = new ModelFiles(diskUrl(folder), { fetch: diskFetch });
    const processor = await opened.processor(files);
    const raster = readPng(`${FAMILY_FIXTURES}/pictures/busy.png`);
    const [width, height] = processor.sizeFor(raster.width, raster.height);
    const from = [raster.width, raster.height] as const;
    const data = resample(raster.data, from, [width, height], processor.filter);
    const before = gpu.memory.bytes;
    const tower = (await opened.weights.load(gpu, diskSource(folder), variants)) as GridTower;
    tower.blockRows = 64;
    const features = await tower.encode(processor.process({ data, width, height }));
    const arrays = new FamilyArrays(name);
    const expected = [
      ...arrays.floats("features/busy"),
      ...(arrays.has("deepstack/busy") ? arrays.floats("deepstack/busy") : []),
    ];
    const buffers = featureBuffers(features);
    const parts = await Promise.all(buffers.map((buffer) => gpu.read(buffer)));
    const actual = parts.flatMap((part) => [...new Float32Array(part)]);
    expect(actual.length).toBe(expected.length);
    const worst = expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
    expect(worst).toBeLessThan(TOLERANCE);
    for (const buffer of buffers) gpu.memory.destroy(buffer);
    await tower.release();
    expect(gpu.memory.bytes).toEqual(before);
  });
});
