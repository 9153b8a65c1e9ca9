type ImageErrorCode = "badImage" | "imageTooLarge" | "outOfMemory";

/** What is wrong, with its numbers. */
type ImageProblem =
  | { readonly kind: "emptyFile" | "noImage" | "heic" | "damaged" | "imageMemory" }
  | { readonly kind: "truncated" | "noPixels"; readonly format: string }
  | {
      readonly kind: "megapixels";
      readonly width: number;
      readonly height: number;
      readonly most: number;
    }
  | { readonly kind: "tooLong"; readonly most: number };

/** An image that cannot be used. The message is an English sentence for the user. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;
  readonly problem: ImageProblem;

  constructor(problem: ImageProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
    this.code = CODES[problem.kind] ?? "badImage";
  }
}

const CODES: Partial<Record<ImageProblem["kind"], ImageErrorCode>> = {
  megapixels: "imageTooLarge",
  imageMemory: "outOfMemory",
};
