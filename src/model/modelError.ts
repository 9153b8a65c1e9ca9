type ModelErrorCode =
  | "unknownArchitecture"
  | "missingFile"
  | "badModel"
  | "network"
  | "contextOverflow";

/** A model cannot be read or run; the message is one sentence for the user. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
