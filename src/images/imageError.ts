export type ImageErrorCode = "badImage" | "imageTooLarge" | "outOfMemory";

/** An image that cannot be used. The message is a sentence for the user. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
