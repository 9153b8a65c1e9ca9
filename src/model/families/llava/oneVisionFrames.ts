import type { ResampleFilter } from "@/images/resample";
import type { ImageGeometry } from "../../prompt/imageMarkup";
import type { ImageProcessor, PixelSize, ProcessedImage, Raster } from "../family";
import { type Normalization, scaled, toPixelValues } from "../preprocessor";
import { bilinear, RowList } from "./anyres";

interface FrameConfig {
  readonly tileSize: number;
  /** Feature rows along a side of the square. */
  readonly side: number;
  /** Whether it ends its video. */
  readonly isLast: boolean;
  readonly normalization: Normalization;
}

const WHOLE = { x: 0, y: 0, width: 1, height: 1 };

/**
 * Frames of a video for LLaVA-OneVision: stretched to a square, whose grid of features is scaled down to
 * half a side, bilinearly. One newline row ends the video. `apply_pooling` of `transformers`.
 */
export class OneVisionFrames implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly #config: FrameConfig;

  constructor(filter: ResampleFilter, config: FrameConfig) {
    this.filter = filter;
    this.#config = config;
  }

  sizeFor(): readonly [width: number, height: number] {
    const { tileSize } = this.#config;
    return [tileSize, tileSize];
  }

  geometry(_: PixelSize): ImageGeometry {
    const half = this.#half;
    const frame = { gridRows: half, gridColumns: half, box: WHOLE };
    // The newline row stands beside the frame.
    const newline = { gridRows: 1, gridColumns: 1, box: { ...WHOLE, x: 1 } };
    return {
      grid: { rows: 0, columns: 0 },
      tiles: this.#config.isLast ? [frame, newline] : [frame],
    };
  }

  process(image: Raster): ProcessedImage {
    const { tileSize, normalization } = this.#config;
    const size = { width: tileSize, height: tileSize };
    const square = scaled(image, [tileSize, tileSize], this.filter);
    const pixelValues = toPixelValues(square, { left: 0, top: 0, ...size }, normalization);
    const geometry = this.geometry(image);
    return { pixelValues, tiles: 1, ...size, geometry, arrangement: this.#arrangement() };
  }

  #arrangement() {
    const { side } = this.#config;
    const half = this.#half;
    const [from, to] = [side, half].map((rows) => ({ rows, columns: rows })) as [
      { rows: number; columns: number },
      { rows: number; columns: number },
    ];
    const rows = new RowList(4);
    for (let i = 0; i < half ** 2; i++) {
      const taps = bilinear(from, to, Math.floor(i / half), i % half);
      rows.add(...taps.map(([y, x, weight]) => [y * side + x, weight] as const));
    }
    if (this.#config.isLast) rows.add([side ** 2, 1]);
    return rows.arrangement;
  }

  get mark(): string {
    return this.#config.isLast ? " last" : "";
  }

  get #half(): number {
    return Math.ceil(this.#config.side / 2);
  }
}
