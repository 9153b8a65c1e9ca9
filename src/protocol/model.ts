import type { Notice } from "./notice";
import type { SampledFrame } from "./request";

/** Element types of a KV cache. */
export const KV_CHOICES = ["f32", "f16", "q8", "q4"] as const;
export type KvChoice = (typeof KV_CHOICES)[number];

/** Element types in which a load can hold matrices. */
export const WEIGHT_TYPES = ["f32", "f16", "q8", "q4"] as const;

export interface LoadRequest {
  /** URL of a model directory in the Hugging Face layout, ending in a slash. */
  readonly baseUrl: string;
  /**
   * The directory's files by path, if they are already here (a folder that somebody chose, a kept
   * download). Then nothing is fetched, and `baseUrl` is only the model's name.
   */
  readonly files?: ReadonlyMap<string, Blob>;
  /** Commit of the files, if they come from the Hub. */
  readonly revision?: string;
  /**
   * How the KV cache is held; default: f32 for weights in f32, else f16. `q8` rounds keys and values to 8 bits with a range
   * per row and head, `q4` to 4 bits with a range per 32 elements.
   */
  readonly kvType?: KvChoice;
  /**
   * How matrices are held: `f32` keeps 32 bits, `q8` and `q4` round the decoder's to 8 and 4 bits, `f16` unpacks
   * those in 8 and 4 bits. Default: as the file has them, but those of 32 bits in f16.
   */
  readonly weightType?: (typeof WEIGHT_TYPES)[number];
  /** Rows per prefill chunk; default: 256 to 1 024, by adapter and model. */
  readonly chunkRows?: number;
  /**
   * Ceiling of all live GPU buffers in megabytes (10^6 bytes). WebGPU does not say how much memory an
   * adapter has, so the default is none.
   */
  readonly memoryMb?: number;
}

/** A loaded model. */
export interface ModelInfo {
  /** Last part of its address. */
  readonly id: string;
  /** Of the language model; a tied head counts once. */
  readonly parameters: number;
  /** Bytes read to load it. */
  readonly bytes: number;
  /** Element type of the weights, as they are held. */
  readonly elementType: "f16" | "f32" | "bf16" | "q8" | "q4";
  readonly kvType: KvChoice;
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Most tokens of a conversation. */
  readonly contextLength: number;
  /**
   * Visual rows of an image that is not cut into tiles, the minimum for any image; absent if the
   * model has no vision.
   */
  readonly rowsPerTile?: number;
  /** KV-cache bytes of one row over all layers. */
  readonly bytesPerRow: number;
  readonly adapter: AdapterInfo;
  readonly card?: ModelCard;
  /** Milliseconds from the call to ready. */
  readonly loadMs: number;
  /** Highest sum of GPU buffers and of the arrays and staged uploads of weights, while loading. */
  readonly loadPeakBytes: number;
  /**
   * By name. `weights` identifies them: `commit:` of the Hub, else `sha256:` of the decoder's tensors
   * (`WeightCheck`).
   */
  readonly versions: Readonly<Record<string, string>>;
}

/** What a model directory says about its model: the field `keepsight` of `config.json`. */
export interface ModelCard {
  /** One English sentence: what it was made to read. */
  readonly purpose?: string;
  /** An answer is marked as unsure below this probability (see `text/confidence.ts`). */
  readonly confidence?: { readonly measure: "mean" | "min"; readonly threshold: number };
  /** An image is familiar below this distance (see `model/vision/familiarity.ts`). */
  readonly familiarBelow?: number;
}

export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** A software adapter: correct but slow. Its times do not represent a GPU. */
  readonly isFallback: boolean;
  readonly features: readonly string[];
  /** Reduction of the kernels in use: what shares a unit of work. */
  readonly reduction: "one" | "workgroup" | "subgroup";
  /** One for each variant that the self-test replaced. */
  readonly notices: readonly Notice[];
}

/** Rates of an adapter with f16 weights, measured with the kernels in use. */
export interface AdapterRate {
  /** Bytes of weights that decoding reads per second. */
  readonly bytesPerSecond: number;
  /** Operations per second of a matrix product with many rows; a multiply-add is two. */
  readonly flopsPerSecond: number;
  /** A software adapter. */
  readonly isFallback: boolean;
}

/** A model's shape, as far as its configuration tells. */
export interface ModelOutline {
  /** Usual name of its family. */
  readonly family: string;
  readonly hasVision: boolean;
  readonly layers: number;
  readonly contextLength: number;
  /** KV-cache bytes of one row over all layers. */
  readonly bytesPerRow: Readonly<Record<Exclude<KvChoice, "f32">, number>>;
  /**
   * Bytes of the weights that a load reads, by the shapes and the type that the configuration names; absent if the
   * file has them in 8 or 4 bits.
   */
  readonly weightBytes?: number;
  /**
   * Bytes that the weights take less in at most 16, in 8 and in 4 bits than in their file; absent if the file has
   * them in 8 or 4 bits.
   */
  readonly savedBytes?: { readonly f16: number; readonly q8: number; readonly q4: number };
  /**
   * Visual rows of an image of `OUTLINE_IMAGE`; absent without vision, or if the image processor's files
   * were not given.
   */
  readonly rowsPerImage?: number;
}

/** The size for which an outline counts the rows of an image. */
export const OUTLINE_IMAGE: ImageSize = { width: 1024, height: 768 };

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** An image's size, upright, in pixels. */
export interface PricedImage extends ImageSize {
  readonly frame?: SampledFrame;
}

export interface ImagePrice {
  /** Tokens that they add to the prompt: visual rows and their markup. */
  readonly tokens: number;
  /** Bytes of these in a full KV cache. */
  readonly kvBytes: number;
}
