import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { resample } from "@/images/resample";
import fixture from "../../../../fixtures/processor/cases.json" with { type: "json" };
import { diskFetch, diskUrl } from "../../../../test/files";
import { ModelFiles } from "../../checkpoint/files";
import type { Raster } from "../family";
import { tiledGeometry } from "../tiledGeometry";
import { Idefics3Processor, type TileEncoder } from "./processor";
import { parseProcessorConfig } from "./processorConfig";

const pixels = new Uint8Array(fs.readFileSync("fixtures/processor/pixels.bin"));
const TINY = { imageSize: 64, rows: 16, contextLength: 2048 };
const load = (model: string, encoder: TileEncoder = TINY) =>
  Idefics3Processor.load(
    new ModelFiles(diskUrl(`public/models/${model}`), { fetch: diskFetch }),
    encoder,
  );

describe("image processor", () => {
  it("asks for the size that the model's files name", async () => {
    const mini = await load("keepsight-mini", { imageSize: 384, rows: 576, contextLength: 2048 });
    expect(mini.sizeFor(600, 300)).toEqual([384, 192]);
    expect(mini.sizeFor(300, 500)).toEqual([230, 384]);
    expect(mini.sizeFor(10, 20_000)).toEqual([1, 384]);
    expect((await load("tiny-smolvlm")).sizeFor(96, 64)).toEqual([128, 86]);
  });

  it.each([
    [{ ...TINY, imageSize: 32 }, "tiles of 64 pixels, but its vision encoder takes 32"],
    [{ ...TINY, contextLength: 79 }, "size.longest_edge 128, which are 5 tiles"],
    [{ ...TINY, rows: 25 }, "16 rows per tile, but its vision encoder gives 25 features"],
  ])("refuses tiles that are not those of the encoder %j", async (encoder, words) => {
    await expect(load("tiny-smolvlm", encoder)).rejects.toMatchObject({
      code: "badModel",
      message: expect.stringContaining(words),
    });
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
function busyImage(width: number, height: number): Raster {
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
    const processor = new Idefics3Processor(config, 16);
    const image = busyImage(width, height);
    const size = processor.sizeFor(width, height);
    const data = resample(image.data, [width, height], size);
    const processed = processor.process({ data, width: size[0], height: size[1] });
    expect(processed).toMatchObject({
      geometry: { grid: { rows, columns } },
      tiles,
      width: 24,
      height: 24,
    });
    expect(Buffer.compare(Uint8Array.from(processed.pixelValues), expected)).toBe(0);
  });

  it("keep the image's own size where the processor does not resize", () => {
    const processor = new Idefics3Processor(
      parseProcessorConfig({ ...tiling, do_resize: false }),
      16,
    );
    expect(processor.sizeFor(31, 50)).toEqual([31, 50]);
    expect(processor.process(busyImage(31, 50)).geometry.grid).toEqual({ rows: 3, columns: 2 });
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
    const { pixelValues } = new Idefics3Processor(config, 16).process({
      data,
      width: 1,
      height: 1,
    });
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
  it("divide the image evenly, the whole last", () => {
    const whole = { gridRows: 4, gridColumns: 4, box: { x: 0, y: 0, width: 1, height: 1 } };
    expect(tiledGeometry({ rows: 0, columns: 0 }, 16).tiles).toEqual([whole]);
    const { tiles } = tiledGeometry({ rows: 2, columns: 4 }, 16);
    expect(tiles).toHaveLength(9);
    expect(tiles[5]?.box).toEqual({ x: 0.25, y: 0.5, width: 0.25, height: 0.5 });
    expect(tiles[8]).toEqual(whole);
  });
});
