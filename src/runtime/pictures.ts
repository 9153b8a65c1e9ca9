import type { Gpu } from "@/gpu/gpu";
import { type ImageProcessor, tileBoxes } from "@/model/processor";
import type { PromptTile, TileGrid } from "@/model/prompt";
import type { ImageFeatures, VisionEncoder } from "@/model/vision";
import { EngineError, type ImageLayout } from "@/protocol/engine";
import { decodeImage } from "./images";

/** A picture that was seen: its features on the GPU and what it takes to draw on it. */
export interface Picture {
  /** SHA-256 of the file. */
  readonly hash: string;
  readonly features: ImageFeatures;
  readonly grid: TileGrid;
  /** Pixels, as decoded and turned. */
  readonly width: number;
  readonly height: number;
  readonly notices: readonly string[];
}

/** The pictures of a conversation. Each is decoded and encoded once, whatever it is called. */
export class Pictures {
  readonly #gpu: Gpu;
  readonly #processor: ImageProcessor;
  readonly #vision: VisionEncoder;
  readonly #seen = new Map<string, Picture>();

  constructor(gpu: Gpu, processor: ImageProcessor, vision: VisionEncoder) {
    this.#gpu = gpu;
    this.#processor = processor;
    this.#vision = vision;
  }

  /** @throws EngineError for what is not a picture; AbortError */
  async see(file: Blob, signal: AbortSignal): Promise<Picture> {
    const hash = await sha256(file);
    const known = this.#seen.get(hash);
    if (known) return known;
    const image = await decodeImage(file, (w, h) => this.#processor.sizeFor(w, h));
    signal.throwIfAborted();
    const processed = await this.#processor.process(image.pixels);
    signal.throwIfAborted();
    const features = await this.#vision.encode(processed);
    const { width, height, notices } = image;
    const picture = { hash, features, grid: processed.grid, width, height, notices };
    this.#seen.set(hash, picture);
    this.#checkRows(features);
    return picture;
  }

  /** Frees every picture's features. */
  clear(): void {
    for (const { features } of this.#seen.values()) this.#gpu.memory.destroy(features.buffer);
    this.#seen.clear();
  }

  #checkRows({ rowsPerTile }: ImageFeatures): void {
    const declared = this.#processor.rowsPerTile ?? rowsPerTile;
    if (declared === rowsPerTile) return;
    const message = `The vision encoder gives ${rowsPerTile} rows a tile where processor_config.json says ${declared}.`;
    throw new EngineError({ code: "badModel", message });
  }
}

/** Where the visual rows of one picture lie in it. `tiles`: the picture's own, in prompt order. */
export function imageLayout(
  key: string,
  picture: Pick<Picture, "width" | "height" | "grid">,
  tiles: readonly PromptTile[],
): ImageLayout {
  const boxes = tileBoxes(picture.grid);
  return {
    image: key,
    width: picture.width,
    height: picture.height,
    tiles: tiles.map(({ start, count, tile }) => ({
      firstPosition: start,
      ...patchGrid(count),
      box: boxes[tile] ?? { x: 0, y: 0, width: 1, height: 1 },
    })),
  };
}

/** Encoders see squares, and the connector keeps a square's rows in reading order. */
function patchGrid(count: number): { gridRows: number; gridColumns: number } {
  const side = Math.round(Math.sqrt(count));
  if (side * side === count) return { gridRows: side, gridColumns: side };
  return { gridRows: 1, gridColumns: count };
}

async function sha256(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
