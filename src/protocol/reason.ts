/**
 * What exactly failed, with its numbers: for pages that have sentences of their own. Failures of a model's
 * files have none; their message names the file and the field.
 */
export type FailureReason =
  | ImageProblem
  | { readonly kind: "noAdapter" }
  /** The self-test: even the plain kernels compute wrong results. */
  | { readonly kind: "wrongResults" }
  | { readonly kind: "limit"; readonly name: string; readonly had: number; readonly needed: number }
  | { readonly kind: "cap"; readonly capMb: number; readonly neededMb: number }
  | { readonly kind: "cacheMemory"; readonly freeMb: number; readonly neededMb: number }
  /** Bytes, as far as known. */
  | { readonly kind: "memory" | "modelMemory"; readonly needed?: number; readonly free?: number }
  | { readonly kind: "lane"; readonly neededMb: number; readonly roomMb: number }
  | { readonly kind: "context"; readonly tokens: number; readonly most: number }
  | { readonly kind: "textOnly" };

/** Why an image cannot be used. */
type ImageProblem =
  | { readonly kind: "emptyFile" | "noImage" | "heic" | "damaged" | "imageMemory" }
  | { readonly kind: "truncated" | "noPixels"; readonly format: string }
  | {
      readonly kind: "megapixels";
      readonly width: number;
      readonly height: number;
      readonly most: number;
    }
  /** Longer than `most` times its width. */
  | { readonly kind: "tooLong"; readonly most: number };
