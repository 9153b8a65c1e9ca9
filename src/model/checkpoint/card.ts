import type { JsonObject } from "./files";

/** What a model directory says of its model. */
interface CardFields {
  readonly purpose?: string;
  /** An answer is unsure below this probability. */
  readonly confidence?: { readonly measure: "mean" | "min"; readonly threshold: number };
  /** An image is familiar below this distance (see `vision/familiarity.ts`). */
  readonly familiarBelow?: number;
}

/** What the field `keepsight` of a `config.json` says about the model; anything else is ignored. */
export function modelCard({ keepsight }: JsonObject): CardFields | undefined {
  if (typeof keepsight !== "object" || keepsight === null) return undefined;
  const { purpose, confidence, familiarBelow } = keepsight as JsonObject;
  const { measure, threshold } = (confidence ?? {}) as JsonObject;
  const isMeasure = measure === "mean" || measure === "min";
  const isShare = typeof threshold === "number" && threshold > 0 && threshold < 1;
  return {
    ...(typeof purpose === "string" && purpose !== "" ? { purpose } : {}),
    ...(isMeasure && isShare ? { confidence: { measure, threshold } } : {}),
    ...(typeof familiarBelow === "number" && familiarBelow > 0 ? { familiarBelow } : {}),
  };
}
