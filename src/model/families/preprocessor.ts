import { type ResampleFilter, resample } from "@/images/resample";
import { shown } from "@/text/shown";
import type { JsonObject, ModelFiles } from "../checkpoint/files";
import { ModelError } from "../modelError";
import type { Raster } from "./family";

const FILE = "preprocessor_config.json";

interface PreprocessorFiles {
  /** Of the image processor. */
  readonly preprocessor: JsonObject;
  /** `processor_config.json`, if there is one. */
  readonly processor: JsonObject | undefined;
}

/** The configuration files of an image processor. @throws ModelError */
export async function preprocessorFiles(files: ModelFiles): Promise<PreprocessorFiles> {
  const [own, processor] = await Promise.all([
    files.optionalJson(FILE),
    files.optionalJson("processor_config.json"),
  ]);
  // Newer checkpoints keep both in one file.
  const preprocessor = own ?? (processor?.image_processor as JsonObject | undefined);
  if (preprocessor) return { preprocessor, processor };
  const message = `The model directory has no file ${FILE}.`;
  throw new ModelError("missingFile", message);
}

/** The most tiles of an image: more than any model was trained on. */
export const MOST_TILES = 256;

/**
 * Compares the sides of squares that the given fields name with those of the vision encoder's images.
 * @throws ModelError for other sides
 */
export function checkSquares(
  config: JsonObject,
  fields: readonly ("size" | "crop_size")[],
  imageSize: number,
): void {
  for (const field of fields) {
    const given = config[field] ?? {};
    const sides = typeof given === "object" ? Object.values(given) : [given];
    const wrong = sides.find((side) => side !== null && side !== imageSize);
    if (wrong === undefined) continue;
    const sizes = `${shown(wrong)} pixels as ${field}, but its vision encoder takes ${imageSize}`;
    throw bad(`The model's ${FILE} has ${sizes}.`);
  }
}

/** @throws ModelError where an operation that the encoder's input depends on is left out */
export function checkOperations(config: JsonObject, operations: readonly string[]): void {
  const left = operations.find((name) => config[name] === false);
  if (left) throw bad(`The model's ${FILE} leaves out ${left}, which its vision encoder needs.`);
}

/** Compares a count of `processor_config.json` with the encoder's. @throws ModelError */
export function checkCount(
  processor: JsonObject | undefined,
  field: string,
  expected: number,
): void {
  const given = processor?.[field] ?? expected;
  if (given === expected) return;
  const what = `${shown(given)} as ${field}, but its vision encoder has ${expected}`;
  throw bad(`The model's processor_config.json has ${what}.`);
}

/** Normalization of 8-bit values: (value × scale − mean) / std, per channel. */
export interface Normalization {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** @throws ModelError for values that are not numbers, or do not give finite pixels */
export function normalizationOf(config: JsonObject): Normalization {
  const scale = config.do_rescale === false ? 1 : scaleOf(config);
  const { mean, std } =
    config.do_normalize === false
      ? { mean: [0, 0, 0], std: [1, 1, 1] }
      : { mean: colors(config, "image_mean"), std: deviations(config) };
  const extremes = [0, 255].flatMap((value) =>
    mean.map((m, i) => Math.fround((value * scale - m) / (std[i] ?? 1))),
  );
  if (extremes.every(Number.isFinite)) return { scale, mean, std };
  throw bad(`The model's ${FILE} normalizes pixels to numbers that are not finite.`);
}

function scaleOf({ rescale_factor: factor = 1 / 255 }: JsonObject): number {
  if (typeof factor === "number" && factor > 0 && Number.isFinite(factor)) return factor;
  throw bad(`The model's ${FILE} has no number above 0 as rescale_factor.`);
}

function deviations(config: JsonObject): readonly number[] {
  const std = colors(config, "image_std");
  if (std.every((value) => value > 0)) return std;
  throw bad(`The model's ${FILE} has an image_std that is not above 0.`);
}

/** One number per channel; a single number applies to all three. */
function colors(config: JsonObject, field: "image_mean" | "image_std"): readonly number[] {
  const given = config[field] ?? 0.5;
  const values = typeof given === "number" ? [given, given, given] : given;
  const isValid = Array.isArray(values) && values.length === 3 && values.every(Number.isFinite);
  if (isValid) return values as number[];
  throw bad(`The model's ${FILE} does not have three numbers as ${field}.`);
}

/** Pillow's filter numbers, as in `preprocessor_config.json`. */
const FILTERS: ReadonlyMap<unknown, ResampleFilter> = new Map([
  [1, "lanczos"],
  [2, "bilinear"],
  [3, "bicubic"],
]);

/** @throws ModelError */
export function pillowFilter(number: unknown): ResampleFilter {
  const filter = FILTERS.get(number);
  if (filter) return filter;
  throw bad(`The filter ${shown(number)} of ${FILE} is not supported.`);
}

/** Part of an image, in pixels. Beyond the image it is black. */
interface PixelRect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** An image in another size. */
export function scaled(
  image: Raster,
  [width, height]: readonly [width: number, height: number],
  filter: ResampleFilter,
): Raster {
  if (image.width === width && image.height === height) return image;
  const data = resample(image.data, [image.width, image.height], [width, height], filter);
  return { data, width, height };
}

/** Tiles of one size behind one another: f32 [tiles, 3, height, width]. */
export function joinTiles(tiles: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(tiles.reduce((sum, tile) => sum + tile.length, 0));
  for (const [i, tile] of tiles.entries()) values.set(tile, i * tile.length);
  return values;
}

/** f32 [3, height, width] of a part of an image. */
export function toPixelValues(
  image: Raster,
  { left, top, width, height }: PixelRect,
  { scale, mean, std }: Normalization,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(3 * width * height);
  for (let channel = 0; channel < 3; channel++) {
    const [m = 0, s = 1] = [mean[channel], std[channel]];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [fromX, fromY] = [left + x, top + y];
        const isInside = fromX >= 0 && fromY >= 0 && fromX < image.width && fromY < image.height;
        const value = isInside ? (image.data[(fromY * image.width + fromX) * 4 + channel] ?? 0) : 0;
        values[(channel * height + y) * width + x] = (value * scale - m) / s;
      }
    }
  }
  return values;
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}
