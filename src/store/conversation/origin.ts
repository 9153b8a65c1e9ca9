import type { AdapterInfo, ModelInfo, Sampling } from "@/protocol/engine";

/** What an answer came from, besides its question and its settings: what it takes to ask again. */
export interface Origin
  extends Pick<ModelInfo, "elementType" | "kvType" | "versions">,
    Pick<AdapterInfo, "vendor" | "architecture" | "description" | "isFallback"> {
  /** `ModelInfo.id` */
  readonly model: string;
  readonly sampling: Sampling;
  /** When it was asked, in milliseconds since 1970: the order in which answers were given. */
  readonly startedAt: number;
}

export function originOf(info: ModelInfo, sampling: Sampling, startedAt: number): Origin {
  const { id: model, elementType, kvType, versions, adapter } = info;
  const { vendor, architecture, description, isFallback } = adapter;
  const device = { vendor, architecture, description, isFallback };
  return { model, elementType, kvType, versions, ...device, sampling, startedAt };
}
