import type { AdapterInfo, ModelInfo } from "@/protocol/model";
import type { Sampling } from "@/protocol/request";

/** Where an answer came from, besides its question and settings; needed to ask again. */
export interface Origin
  extends Pick<ModelInfo, "elementType" | "kvType" | "versions">,
    Pick<AdapterInfo, "vendor" | "architecture" | "description" | "isFallback"> {
  /** `ModelInfo.id` */
  readonly model: string;
  readonly sampling: Sampling;
  /** Start time in milliseconds since 1970; gives the order of answers. */
  readonly startedAt: number;
}

/** Whether two answers may be compared: by the same weights, in the same types, sampled alike. */
export function isAlike(a: Origin | undefined, b: Origin | undefined): boolean {
  // Older records do not tell.
  if (!a || !b) return true;
  return JSON.stringify(conditions(a)) === JSON.stringify(conditions(b));
}

function conditions({ model, versions, elementType, kvType, sampling }: Origin) {
  const { maxNewTokens, temperature, topK, topP, seed } = sampling;
  const sampled = [maxNewTokens, temperature, topK, topP, seed];
  return [model, versions.weights, elementType, kvType, sampled];
}

export function originOf(info: ModelInfo, sampling: Sampling, startedAt: number): Origin {
  const { id: model, elementType, kvType, versions, adapter } = info;
  const { vendor, architecture, description, isFallback } = adapter;
  const device = { vendor, architecture, description, isFallback };
  return { model, elementType, kvType, versions, ...device, sampling, startedAt };
}
