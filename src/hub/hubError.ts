/** Why a model cannot be fetched or stored. */
export type HubErrorCode =
  /** The Hub knows no such model, or shows it only to people who have a token for it. */
  | "notFound"
  /** The owner asks visitors to accept terms first. */
  | "gated"
  /** The repository lacks a file that the engine needs. */
  | "incomplete"
  /** The page's policy does not let it read from the host. */
  | "forbidden"
  /** The connection failed, or the Hub answered with an error. */
  | "network"
  /** What arrived is not what the Hub promised. */
  | "damaged"
  /** The browser's storage cannot take it. */
  | "noSpace";

/** An error with a code and a sentence to show. */
export class HubError extends Error {
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
    this.code = code;
  }
}
