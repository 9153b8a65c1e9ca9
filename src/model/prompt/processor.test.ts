import { describe, expect, it } from "vitest";
import { diskFetch, diskUrl } from "../../../test/files";
import { ModelFiles } from "../checkpoint/files";
import { ImageProcessor, tileBoxes } from "./processor";

const load = (model: string) =>
  ImageProcessor.load(new ModelFiles(diskUrl(`public/models/${model}`), { fetch: diskFetch }));

describe("image processor", () => {
  it("asks for the size that the model's files name", async () => {
    const mini = await load("keepsight-mini");
    expect(mini.rowsPerTile).toBe(576);
    expect(mini.sizeFor(600, 300)).toEqual([384, 192]);
    expect(mini.sizeFor(300, 500)).toEqual([230, 384]);
    expect(mini.sizeFor(10, 20_000)).toEqual([1, 384]);
    expect((await load("tiny-smolvlm")).sizeFor(96, 64)).toEqual([128, 85]);
  });

  it("names the file that is missing", async () => {
    await expect(load("nowhere")).rejects.toMatchObject({
      name: "ModelError",
      code: "missingFile",
      message: expect.stringContaining("preprocessor_config.json"),
    });
  });
});

describe("tile boxes", () => {
  it("divide the picture evenly, the whole last", () => {
    expect(tileBoxes({ rows: 0, columns: 0 })).toEqual([{ x: 0, y: 0, width: 1, height: 1 }]);
    const boxes = tileBoxes({ rows: 2, columns: 4 });
    expect(boxes).toHaveLength(9);
    expect(boxes[5]).toEqual({ x: 0.25, y: 0.5, width: 0.25, height: 0.5 });
    expect(boxes[8]).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });
});
