import type { Gpu } from "@/gpu/gpu";
import { decodeImage } from "@/images/decode";
import type { ImageProcessor, ProcessedImage } from "@/model/families/family";
import type { ImageGeometry, ImageTile, PromptTile } from "@/model/prompt/prompt";
import { featureBuffers, type ImageFeatures, type VisionEncoder } from "@/model/vision/encoder";
import type { ImageLayout } from "@/protocol/engine";

/** A decoded image, with the data needed to draw on it. */
export interface SeenImage {
  /** SHA-256 of the file; other for an image that its turn's other images change. */
  readonly hash: string;
  readonly geometry: ImageGeometry;
  /** Pixels, as decoded and turned. */
  readonly width: number;
  readonly height: number;
  readonly notices: readonly string[];
}

/** Pixels before encoding, then features on the GPU. */
type Content =
  | { readonly kind: "pixels"; readonly processed: ProcessedImage }
  | { readonly kind: "features"; readonly features: ImageFeatures };

/** The images of a conversation. Each is decoded and encoded once, identified by its bytes. */
export class ConversationImages {
  readonly #gpu: Gpu;
  readonly #processor: ImageProcessor;
  readonly #vision: VisionEncoder;
  readonly #seen = new Map<string, { readonly image: SeenImage; content: Content }>();

  constructor(gpu: Gpu, processor: ImageProcessor, vision: VisionEncoder) {
    this.#gpu = gpu;
    this.#processor = processor;
    this.#vision = vision;
  }

  /**
   * Decodes an image and cuts it into tiles, which determine its part of the prompt.
   * @param turnImages number of images of its turn
   * @throws EngineError
   */
  async see(file: Blob, turnImages: number): Promise<SeenImage> {
    const isAlone = turnImages === 1 || !this.#processor.countsTurnImages;
    const hash = `${await sha256(file)}${isAlone ? "" : " beside others"}`;
    const known = this.#seen.get(hash);
    if (known) return known.image;
    const decoded = await decodeImage(
      file,
      (w, h) => this.#processor.sizeFor(w, h),
      this.#processor.filter,
    );
    const processed = this.#processor.process(decoded.pixels, turnImages);
    const { width, height, notices } = decoded;
    const image = { hash, geometry: processed.geometry, width, height, notices };
    this.#seen.set(hash, { image, content: { kind: "pixels", processed } });
    return image;
  }

  /** A decoded image's features, encoded at the first call and kept until `clear`. */
  async features({ hash }: SeenImage): Promise<ImageFeatures> {
    const entry = this.#seen.get(hash);
    if (!entry) throw new Error("an image's features were asked for before it was seen");
    if (entry.content.kind === "features") return entry.content.features;
    const features = await this.#vision.encode(entry.content.processed);
    entry.content = { kind: "features", features };
    return features;
  }

  /** Frees the features of all images. */
  clear(): void {
    for (const { content } of this.#seen.values()) {
      if (content.kind !== "features") continue;
      for (const buffer of featureBuffers(content.features)) this.#gpu.memory.destroy(buffer);
    }
    this.#seen.clear();
  }
}

/**
 * Locations of one image's visual rows in the image. `tiles`: the image's own tiles, in prompt
 * order.
 */
export function imageLayout(
  key: string,
  image: Pick<SeenImage, "width" | "height" | "geometry">,
  tiles: readonly PromptTile[],
): ImageLayout {
  return {
    image: key,
    width: image.width,
    height: image.height,
    tiles: tiles.map(({ start, tile }) => ({
      firstPosition: start,
      ...(image.geometry.tiles[tile] as ImageTile),
    })),
  };
}

async function sha256(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
