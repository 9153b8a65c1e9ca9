import fs from "node:fs";
import { expect, it } from "vitest";
import { FAMILIES } from "@/model/families/registry";
import { PUBLISHED_TABLE, publishedConfigs, publishedOutlines } from "./publishedModels";

const outlines = await publishedOutlines();

it.each(publishedConfigs())(
  "counts the weights of $id as the Hub does",
  ({ id, parameters, config }) => {
    const { weightBytes = 0 } = outlines.find((each) => each.id === id)!;
    const isWide = JSON.stringify(config).includes('"float32"');
    // Layers behind the one whose features are taken are not read.
    expect(weightBytes / (isWide ? 4 : 2) / parameters).toBeGreaterThan(0.99);
    expect(weightBytes / (isWide ? 4 : 2) / parameters).toBeLessThan(1.005);
  },
);

it("has every example of a family with images", () => {
  const examples = FAMILIES.filter(({ vision }) => vision).flatMap((family) => family.examples);
  const ids = outlines.map(({ id }) => id);
  expect(examples.filter((id) => !ids.includes(id))).toEqual([]);
});

it("tells all that the picker shows", () => {
  for (const outline of outlines) {
    expect(outline).toMatchObject({
      hasVision: true,
      rowsPerImage: expect.any(Number),
      savedBytes: { q8: expect.any(Number), q4: expect.any(Number) },
    });
  }
});

it("is what the page reads: `npm run tables`", () => {
  expect(JSON.parse(fs.readFileSync(PUBLISHED_TABLE, "utf8"))).toEqual(outlines);
});
