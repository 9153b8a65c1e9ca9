import type { JsonObject, ModelFiles } from "../checkpoint/files";
import { ModelError } from "../modelError";
import { withOrt } from "../vision/ort";
import type { TileGrid } from "./prompt";
import { transformers } from "./transformers";

/** Input of the vision encoder for one image. */
export interface ProcessedImage {
  /** f32 [tiles, 3, height, width] */
  readonly pixelValues: Float32Array;
  readonly tiles: number;
  readonly height: number;
  readonly width: number;
  readonly grid: TileGrid;
}

/** Part of a picture, in fractions of its width and height. */
export interface TileBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface LibraryOutput {
  readonly pixel_values: { readonly data: Float32Array; readonly dims: readonly number[] };
  readonly rows: readonly (readonly number[])[];
  readonly cols: readonly (readonly number[])[];
}

type LibraryProcessor = (
  images: unknown,
  options: { readonly return_row_col_info: true },
) => Promise<LibraryOutput>;

/** The model's own image processor (`preprocessor_config.json`). */
export class ImageProcessor {
  /**
   * Visual rows of one tile, from `processor_config.json`; undefined if the encoder's output
   * decides.
   */
  readonly rowsPerTile: number | undefined;
  readonly #process: LibraryProcessor;
  readonly #longestEdge: number | undefined;

  constructor(process: LibraryProcessor, longestEdge?: number, rowsPerTile?: number) {
    this.#process = process;
    this.#longestEdge = longestEdge;
    this.rowsPerTile = rowsPerTile;
  }

  /** @throws ModelError */
  static async load(files: ModelFiles): Promise<ImageProcessor> {
    const [own, shared] = await Promise.all([
      files.optionalJson("preprocessor_config.json"),
      files.optionalJson("processor_config.json"),
    ]);
    // Newer checkpoints keep both in one file.
    const config = own ?? (shared?.image_processor as JsonObject | undefined);
    if (!config) {
      const message = "The model directory has no file preprocessor_config.json.";
      throw new ModelError("missingFile", message);
    }
    const size = config.size as { readonly longest_edge?: number } | undefined;
    const rows = shared?.image_seq_len;
    return new ImageProcessor(
      construct(config),
      size?.longest_edge,
      typeof rows === "number" ? rows : undefined,
    );
  }

  /**
   * The size that the processor resizes an image to. Resizing to it beforehand with a better filter
   * avoids the library's bilinear resize.
   */
  sizeFor(width: number, height: number): readonly [width: number, height: number] {
    const edge = this.#longestEdge;
    const longest = Math.max(width, height);
    const scale = (edge ?? Math.min(longest, MAX_EDGE)) / longest;
    const fitted = (pixels: number) => Math.max(1, Math.floor(Number((pixels * scale).toFixed(2))));
    return [fitted(width), fitted(height)];
  }

  /**
   * Turns pixels into tiles. Idefics3 does not keep the aspect ratio: every tile is resized to the
   * encoder's square.
   */
  async process(image: ImageData): Promise<ProcessedImage> {
    const raw = new transformers.RawImage(image.data, image.width, image.height, 4);
    const output = await withOrt(() => this.#process([[raw]], { return_row_col_info: true }));
    const { data, dims } = output.pixel_values;
    const [, tiles = 0, , height = 0, width = 0] = dims;
    const grid = { rows: output.rows[0]?.[0] ?? 0, columns: output.cols[0]?.[0] ?? 0 };
    return { pixelValues: data, tiles, height, width, grid };
  }
}

/**
 * What each tile shows, in prompt order. The picture is stretched to a whole number of tiles, so
 * the tiles divide it evenly whatever its shape; the last one shows all of it.
 */
export function tileBoxes({ rows, columns }: TileGrid): TileBox[] {
  const boxes: TileBox[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [width, height] = [1 / columns, 1 / rows];
      boxes.push({ x: column * width, y: row * height, width, height });
    }
  }
  return [...boxes, { x: 0, y: 0, width: 1, height: 1 }];
}

/** Longest edge if the processor's configuration has none. */
const MAX_EDGE = 4096;

const SUPPORTED = ["Idefics3ImageProcessor", "SmolVLMImageProcessor"] as const;

function construct(config: JsonObject): LibraryProcessor {
  const name = String(config.image_processor_type ?? "").replace(/Fast$/, "");
  const known = SUPPORTED.find((type) => type === name);
  if (!known) {
    const message = `Pictures cannot be prepared for this model: its ${name || "image processor"} is not supported.`;
    throw new ModelError("badModel", message);
  }
  // Instances of the library's classes are callable.
  return new transformers[known](config) as unknown as LibraryProcessor;
}
