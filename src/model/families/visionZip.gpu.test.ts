import fs from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { unitRows } from "@/compression/blocks/cosine";
import { absorbed, zipped } from "@/compression/policies/vision/visionZipRows";
import { PLAIN } from "@/gpu/variants";
import { mergedRows, projectMerged } from "@/runtime/stages/mergedFeatures";
import { diskSource } from "../../../cli/shared/disk";
import { readPng } from "../../../cli/shared/png";
import { createTestGpu } from "../../../test/dawn";
import { FAMILY_FIXTURES } from "../../../test/families";
import { diskFetch, diskUrl } from "../../../test/files";
import { parseConfig } from "../checkpoint/config";
import { ModelFiles } from "../checkpoint/files";
import { featureBuffers } from "../vision/encoder";
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
        /** Features of the rows that take others in. */
        readonly merged: readonly number[];
      }
    >
  >;
} = JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/visionzip.json`, "utf8"));

/** As for features. */
const TOLERANCE = 1e-3;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

describe.each(Object.entries(recorded.cases))("VisionZip on %s", (name, expected) => {
  it("ranks and merges rows as PyTorch does", async () => {
    const folder = `${FAMILY_FIXTURES}/${name}`;
    const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
    const opened = openVision(familyOf(json)!.vision!, json, parseConfig(json));
    const processor = await opened.processor(new ModelFiles(diskUrl(folder), { fetch: diskFetch }));
    const picture = readPng(`${FAMILY_FIXTURES}/pictures/${recorded.picture}.png`);
    const size = processor.sizeFor(picture.width, picture.height);
    const image = processor.process(scaled(picture, size, processor.filter));
    const encoder = await opened.weights.load(gpu, diskSource(folder), PLAIN);
    const encoded = await encoder.encode(image, { attention: true });
    const { attention, keys, unprojected, width: hidden } = encoded;
    const { counts, width, keep, into } = expected;
    expect(keys!.width).toBe(width);
    expect(worst(attention!, expected.attention)).toBeLessThan(TOLERANCE);
    expect(worst(keys!.data, expected.keys)).toBeLessThan(TOLERANCE);
    const rows = into.length; // of the first tile
    const unit = unitRows(keys!.data.subarray(0, rows * width), width);
    const chosen = zipped(attention!.subarray(0, rows), unit, width, counts);
    expect(chosen.keep).toEqual(keep);
    expect([...absorbed(chosen, unit, width)]).toEqual(into);

    const targets = [...new Set(into)].filter((row) => row >= 0).sort((a, b) => a - b);
    expect(unprojected !== undefined).toBe(name === "llava-1.5");
    const all = Int32Array.from({ length: encoded.rows }, (_, row) => into[row] ?? -1);
    let merged: Float32Array;
    if (unprojected) {
      const own = {
        ...encoded,
        project: (given: Float32Array<ArrayBuffer>) => encoder.project!(given),
      };
      const projected = await projectMerged(gpu, [own], all, targets);
      merged = new Float32Array(await gpu.read(projected));
      gpu.memory.destroy(projected);
    } else {
      const features = new Float32Array(await gpu.read(encoded.buffer));
      const added = mergedRows(features, hidden, all, "add");
      merged = Float32Array.from(
        targets.flatMap((row) => [...added.subarray(row * hidden, (row + 1) * hidden)]),
      );
    }
    expect(worst(merged, expected.merged)).toBeLessThan(TOLERANCE);
    for (const each of featureBuffers(encoded)) gpu.memory.destroy(each);
    await encoder.release();
  });
});

function worst(actual: Float32Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
}
