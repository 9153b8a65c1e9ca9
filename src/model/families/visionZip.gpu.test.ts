import fs from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { zipRows } from "@/compression/policies/vision/visionZip";
import { PLAIN } from "@/gpu/variants";
import { diskSource } from "../../../cli/shared/disk";
import { readPng } from "../../../cli/shared/png";
import { createTestGpu } from "../../../test/dawn";
import { FAMILY_FIXTURES } from "../../../test/families";
import { diskFetch, diskUrl } from "../../../test/files";
import { parseConfig } from "../checkpoint/config";
import { ModelFiles } from "../checkpoint/files";
import { openVision } from "./openVision";
import { scaled } from "./preprocessor";
import { familyOf } from "./registry";

/** What `reference/make_visionzip_fixture.py` recorded. */
const recorded: {
  readonly picture: string;
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly attention: readonly number[];
        readonly keys: readonly number[];
        readonly width: number;
        readonly counts: readonly [dominant: number, contextual: number];
        readonly keep: readonly number[];
        readonly into: readonly number[];
      }
    >
  >;
} = JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/visionzip.json`, "utf8"));

/** As for features. */
const TOLERANCE = 1e-3;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

describe.each(Object.entries(recorded.cases))("VisionZip on %s", (name, expected) => {
  it("ranks and merges rows by PyTorch's attention and keys", async () => {
    const folder = `${FAMILY_FIXTURES}/${name}`;
    const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
    const opened = openVision(familyOf(json)!.vision!, json, parseConfig(json));
    const processor = await opened.processor(new ModelFiles(diskUrl(folder), { fetch: diskFetch }));
    const picture = readPng(`${FAMILY_FIXTURES}/pictures/${recorded.picture}.png`);
    const size = processor.sizeFor(picture.width, picture.height);
    const image = processor.process(scaled(picture, size, processor.filter));
    const encoder = await opened.weights.load(gpu, diskSource(folder), PLAIN);
    const { buffer, attention, keys } = await encoder.encode(image, { attention: true });
    gpu.memory.destroy(buffer);
    await encoder.release();

    const { counts, width, keep, into } = expected;
    expect(keys!.width).toBe(width);
    expect(worst(attention!, expected.attention)).toBeLessThan(TOLERANCE);
    expect(worst(keys!.data, expected.keys)).toBeLessThan(TOLERANCE);
    const rows = into.length; // of the first tile
    const own = [attention!.subarray(0, rows), keys!.data.subarray(0, rows * width)] as const;
    const choice = zipRows(...own, width, counts);
    expect(choice.keep).toEqual(keep);
    expect([...choice.into!]).toEqual(into);
  });
});

function worst(actual: Float32Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
}
