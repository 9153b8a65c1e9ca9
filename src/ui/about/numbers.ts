import type { Texts } from "@/language/language";
import type { TurnResult } from "@/protocol/result";
import { formatBytes, formatCount, formatMs, formatRetention } from "@/text/format";
import { rowCounters } from "../chat/rowCounters";

/** A number on the page and its value in an answer; the catalogue of texts has its definition. */
interface NumberMeaning {
  readonly id: keyof Texts["about"]["meanings"];
  readonly of: (result: TurnResult) => string;
}

export const NUMBERS: readonly NumberMeaning[] = [
  { id: "kvCache", of: ({ kvBytes }) => formatBytes(kvBytes.end) },
  { id: "full", of: ({ kvBytes }) => formatBytes(kvBytes.full) },
  { id: "peak", of: ({ kvBytes }) => formatBytes(kvBytes.peak) },
  { id: "keep", of: ({ retention }) => formatRetention(retention) },
  { id: "cacheType", of: () => "" },
  { id: "unsure", of: () => "" },
  {
    id: "time",
    of: ({ ms }) => (ms.decodePerToken.median > 0 ? formatMs(ms.decodePerToken.median) : "–"),
  },
  { id: "firstToken", of: ({ ms }) => formatMs(ms.firstToken) },
  { id: "cached", of: (result) => formatCount(rowCounters(result).cached) },
  { id: "read", of: (result) => formatCount(rowCounters(result).readPerToken) },
  { id: "agreement", of: () => "" },
  { id: "speed", of: () => "" },
];
