import type { SmallerGrid, VisionTaps } from "@/compression/types";
import type { Gpu } from "@/gpu/gpu";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import { type DecodedImage, decodeImage } from "@/images/decode";
import type { ProcessedImage, ScaledDown } from "@/model/families/family";
import { joinTiles } from "@/model/families/preprocessor";
import type { Framed } from "@/model/prompt/clips";
import type { ImageGeometry, ImageTile } from "@/model/prompt/imageMarkup";
import type { PromptTile } from "@/model/prompt/prompt";
import { featureBuffers, type ImageFeatures } from "@/model/vision/encoder";
import { smallerTiles } from "@/model/vision/smallerTiles";
import { firstEqualRows } from "@/model/vision/visualRows";
import type { ImageLayout } from "@/protocol/result";
import type { VisionModel } from "../load/loadedModel";
import { cutOf, type ImageCut, type TemporalPatch, temporalPatches } from "./imageCut";

/** A decoded image, with the data needed to draw on it. */
export interface PreparedImage {
  /** SHA-256 of the file; other for an image that its turn's other images change. */
  readonly hash: string;
  readonly geometry: ImageGeometry;
  /** Pixels, as decoded and turned. */
  readonly width: number;
  readonly height: number;
  readonly notices: readonly (DecodedImage["notices"][number] | ScaledDown)[];
}

/** What policies ask of images besides their features. */
export type VisionNeeds = readonly (keyof VisionTaps)[];

/** An image's features, and what was asked for besides. */
export interface EncodedImage extends ImageFeatures {
  /** As in `VisionTaps`, counted within the image. */
  readonly firstEqual?: Uint32Array;
  readonly tiles: number;
  /**
   * Features of its tiles with fewer rows; absent if the encoder does not take them. The buffers belong to the
   * caller.
   */
  readonly smaller?: (grid: SmallerGrid) => Promise<ImageFeatures>;
  /** As in `VisionEncoder`; there if the features have `unprojected` rows. */
  readonly project?: (rows: Float32Array<ArrayBuffer>) => GPUBuffer;
}

/** The images of a segment, encoded. */
export interface EncodedSegment {
  readonly images: readonly EncodedImage[];
  /** Features of each, in the same order, rows counted over all of them. */
  readonly features: readonly FeatureSlice[];
}

type ImageModel = Pick<VisionModel, "processor" | "encoder" | "featureSide" | "familiarity">;

/** Pixels before encoding, then features on the GPU. */
type Content =
  | { readonly kind: "pixels"; readonly processed: ProcessedImage }
  | { readonly kind: "features"; readonly encoded: EncodedImage };

interface Entry {
  readonly image: PreparedImage;
  readonly files: readonly Blob[];
  readonly cut: ImageCut;
  content: Content;
}

/**
 * The images of a conversation. Each is decoded and encoded once, identified by its bytes; once more if a
 * policy later asks for what was not recorded.
 */
export class ConversationImages {
  readonly #gpu: Gpu;
  readonly #vision: ImageModel;
  readonly #seen = new Map<string, Entry>();
  /** Hashes of the images that are unlike those the model was trained on. */
  readonly #unfamiliar = new Set<string>();

  constructor(gpu: Gpu, vision: ImageModel) {
    this.#gpu = gpu;
    this.#vision = vision;
  }

  /**
   * Decodes an image, or the frames of a temporal patch, and cuts it into tiles, which determine its part of the prompt.
   * @param images of its turn @param at its place among them
   * @throws EngineError
   */
  async see(files: readonly Blob[], images: readonly Framed[], at: number): Promise<PreparedImage> {
    const cut = cutOf(this.#vision.processor, images, at);
    const digests = await Promise.all(files.map(sha256));
    const hash = `${digests.join("+")}${cut.mark}`;
    const known = this.#seen.get(hash);
    if (known) return known.image;
    const { processed, width, height, notices } = await process(files, cut);
    const image = { hash, geometry: processed.geometry, width, height, notices };
    this.#seen.set(hash, { image, files, cut, content: { kind: "pixels", processed } });
    return image;
  }

  /** A turn's images as they are encoded. */
  temporalPatches(images: readonly Framed[]): readonly TemporalPatch[] {
    return temporalPatches(this.#vision.processor, images);
  }

  /** A decoded image's features, encoded at the first call and kept until `clear`. @throws ModelError */
  async features({ hash }: PreparedImage, needs: VisionNeeds = []): Promise<EncodedImage> {
    const entry = this.#seen.get(hash);
    if (!entry) throw new Error("an image's features were asked for before it was seen");
    const { content } = entry;
    if (content.kind === "features" && covers(content.encoded, needs)) return content.encoded;
    const { processed } =
      content.kind === "pixels" ? content : await process(entry.files, entry.cut);
    const features = await this.#vision.encoder.encode(processed, {
      attention: needs.includes("attention") || needs.includes("keys"),
    });
    const firstEqual = needs.includes("firstEqual")
      ? firstEqualRows(processed, this.#vision.featureSide)
      : undefined;
    const smaller = this.#smaller(entry, processed);
    if (await this.#strays(features)) this.#unfamiliar.add(hash);
    const encoded = {
      ...features,
      tiles: processed.geometry.tiles.length,
      ...(firstEqual && { firstEqual }),
      ...(smaller && { smaller }),
      ...(features.unprojected && { project: this.#project }),
    };
    if (content.kind === "features") this.#free(content.encoded);
    entry.content = { kind: "features", encoded };
    return encoded;
  }

  /** Frees the features of all images. */
  clear(): void {
    for (const { content } of this.#seen.values()) {
      if (content.kind === "features") this.#free(content.encoded);
    }
    this.#seen.clear();
    this.#unfamiliar.clear();
  }

  /**
   * Whether an image, by its `hash`, is unlike those that the model was trained on; false before it is encoded or
   * `markUnfamiliar` named it.
   */
  isUnfamiliar(hash: string): boolean {
    return this.#unfamiliar.has(hash);
  }

  /** Notes images that were judged when a restored cache was computed. */
  markUnfamiliar(hashes: readonly string[]): void {
    for (const hash of hashes) this.#unfamiliar.add(hash);
  }

  async #strays({ buffer, rows, width }: ImageFeatures): Promise<boolean> {
    const { familiarity } = this.#vision;
    if (!familiarity) return false;
    const bytes = rows * width * Float32Array.BYTES_PER_ELEMENT;
    return !familiarity.isFamiliar(new Float32Array(await this.#gpu.read(buffer, 0, bytes)));
  }

  readonly #project = (rows: Float32Array<ArrayBuffer>): GPUBuffer => {
    const { encoder } = this.#vision;
    return (encoder.project as NonNullable<typeof encoder.project>).call(encoder, rows);
  };

  #smaller({ files, cut }: Entry, { arrangement }: ProcessedImage) {
    const { encoder, featureSide } = this.#vision;
    if (!encoder.smaller || arrangement) return undefined;
    return async ([rows, columns]: SmallerGrid) => {
      const isWhole = encoder.smaller === "images";
      const size = [columns * featureSide, rows * featureSide] as const;
      const { processed } = await process(files, cut, isWhole ? size : undefined);
      return encoder.encode(isWhole ? processed : smallerTiles(processed, size[0]));
    };
  }

  #free(encoded: EncodedImage): void {
    for (const buffer of featureBuffers(encoded)) this.#gpu.memory.destroy(buffer);
  }
}

/** @param size to scale to; default: the processor's */
async function process(
  files: readonly Blob[],
  { processor, turnImages }: ImageCut,
  size?: readonly [width: number, height: number],
) {
  const [file, ...others] = files as [Blob, ...Blob[]];
  const { pixels, ...decoded } = await decodeImage(
    file,
    (width, height) => size ?? processor.sizeFor(width, height),
    processor.filter,
  );
  const { width, height } = decoded;
  const notices = [...decoded.notices, processor.notice?.(width, height) ?? []].flat();
  const processed = processor.process(pixels, turnImages);
  if (others.length === 0) return { ...decoded, notices, processed };
  // All frames have the size of the first.
  const parts = [processed.pixelValues];
  for (const other of others) {
    const frame = await decodeImage(other, () => [pixels.width, pixels.height], processor.filter);
    parts.push(processor.process(frame.pixels).pixelValues);
  }
  return { ...decoded, notices, processed: { ...processed, pixelValues: joinTiles(parts) } };
}

function covers(encoded: EncodedImage, needs: VisionNeeds): boolean {
  return (["attention", "keys", "firstEqual"] as const).every(
    (name) => !needs.includes(name) || encoded[name] !== undefined,
  );
}

/**
 * Locations of one image's visual rows in the image. `keys`: the image, or the frames of a temporal patch;
 * `tiles`: its own tiles, in prompt order.
 */
export function imageLayout(
  [key, ...others]: readonly string[],
  image: Pick<PreparedImage, "width" | "height" | "geometry">,
  tiles: readonly PromptTile[],
): ImageLayout {
  return {
    image: key as string,
    ...(others.length > 0 && { alsoShows: others }),
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
