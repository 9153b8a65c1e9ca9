import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { resample } from "@/images/resample";
import fixture from "../../../fixtures/processor/cases.json" with { type: "json" };
import { diskFetch, diskUrl } from "../../../test/files";
import { ModelFiles } from "../checkpoint/files";
import { ImageProcessor, type Pixels, tileBoxes } from "./processor";
import { parseProcessorConfig } from "./processorConfig";

const pixels = new Uint8Array(fs.readFileSync("fixtures/processor/pixels.bin"));
/** Pillow sums in fixed point: a byte may be rounded the other way, at most once per resize. */
const PILLOW_ROUNDING = 1;

const load = (model: string) =>
  ImageProcessor.load(new ModelFiles(diskUrl(`public/models/${model}`), { fetch: diskFetch }));

describe("image processor", () => {
  it("asks for the size that the model's files name", async () => {
    const mini = await load("keepsight-mini");
    expect(mini.rowsPerTile).toBe(576);
    expect(mini.sizeFor(600, 300)).toEqual([384, 192]);
    expect(mini.sizeFor(300, 500)).toEqual([230, 384]);
    expect(mini.sizeFor(10, 20_000)).toEqual([1, 384]);
    expect((await load("tiny-smolvlm")).sizeFor(96, 64)).toEqual([128, 86]);
  });

  it("names the file that is missing", async () => {
    await expect(load("nowhere")).rejects.toMatchObject({
      name: "ModelError",
      code: "missingFile",
      message: expect.stringContaining("preprocessor_config.json"),
    });
  });
});

/** The noise of `reference/make_processor_fixture.py`. */
function busyImage(width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < data.length; i++) {
    const [x, y, c] = [Math.floor(i / 4) % width, Math.floor(i / 4 / width), i % 4];
    data[i] = c === 3 ? 255 : (x * x * 7 + y * y * 13 + x * y * 5 + c * 91) % 256;
  }
  return { data, width, height };
}

const tiling = {
  image_processor_type: "Idefics3ImageProcessor",
  size: { longest_edge: 72 },
  max_image_size: { longest_edge: 24 },
  do_normalize: false,
  do_rescale: false,
};

describe("tiles", () => {
  let offset = 0;
  const cases = fixture.map((each) => {
    const start = offset;
    offset += each.tiles * 3 * 24 * 24;
    return { ...each, expected: pixels.subarray(start, offset) };
  });

  it.each(cases)("of $width × $height, split: $splits, are those of transformers", (each) => {
    const { width, height, splits, rows, columns, tiles, expected } = each;
    const config = parseProcessorConfig({ ...tiling, do_image_splitting: splits });
    const processor = new ImageProcessor(config);
    const image = busyImage(width, height);
    const size = processor.sizeFor(width, height);
    const data = resample(image.data, [width, height], size);
    const processed = processor.process({ data, width: size[0], height: size[1] });
    expect(processed).toMatchObject({ grid: { rows, columns }, tiles, width: 24, height: 24 });
    const off = processed.pixelValues.reduce(
      (worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)),
      0,
    );
    expect(processed.pixelValues).toHaveLength(expected.length);
    expect(off).toBeLessThanOrEqual(PILLOW_ROUNDING);
  });

  it("keep the image's own size where the processor does not resize", () => {
    const processor = new ImageProcessor(parseProcessorConfig({ ...tiling, do_resize: false }));
    expect(processor.sizeFor(31, 50)).toEqual([31, 50]);
    expect(processor.process(busyImage(31, 50)).grid).toEqual({ rows: 3, columns: 2 });
  });

  it("are scaled and normalised, each colour by its own numbers", () => {
    const config = parseProcessorConfig({
      ...tiling,
      max_image_size: { longest_edge: 1 },
      do_image_splitting: false,
      do_rescale: true,
      do_normalize: true,
      image_mean: [0.5, 0.25, 0],
      image_std: [0.5, 1, 2],
    });
    const data = Uint8ClampedArray.of(255, 51, 0, 255);
    const { pixelValues } = new ImageProcessor(config).process({ data, width: 1, height: 1 });
    expect([...pixelValues]).toEqual([1, Math.fround(51 / 255 - 0.25), 0]);
  });
});

it.each([
  [{ image_processor_type: "LlavaNextImageProcessor" }, "LlavaNextImageProcessor is not supported"],
  [{ ...tiling, size: { longest_edge: 0 } }, "size.longest_edge"],
  [{ ...tiling, max_image_size: { longest_edge: "24" } }, "max_image_size.longest_edge"],
  [{ ...tiling, do_normalize: true, image_std: [0.5, 0, 0.5] }, "image_std"],
  [{ ...tiling, do_normalize: true, image_mean: [0.5] }, "image_mean"],
  [{ ...tiling, do_rescale: true, rescale_factor: "1/255" }, "rescale_factor"],
])("refuses %j by the name of the field", (config, words) => {
  expect(() => parseProcessorConfig(config)).toThrow(
    expect.objectContaining({ code: "badModel", message: expect.stringContaining(words) }),
  );
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
