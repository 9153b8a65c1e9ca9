import type { TurnResult } from "@/protocol/engine";
import { formatBytes, formatCount, formatMs, formatRetention } from "@/text/format";
import { rowCounters } from "../chat/rowCounters";

/** The definition of a number on the page, and its value in an answer. */
export interface NumberMeaning {
  readonly name: string;
  readonly meaning: string;
  readonly of: (result: TurnResult) => string;
}

export const NUMBERS: readonly NumberMeaning[] = [
  {
    name: "KV cache",
    meaning:
      "The sizes of the live GPU buffers that hold keys and values, as the engine allocated them. " +
      "Browsers report no memory use, so the page counts the buffers that were created and freed.",
    of: ({ kvBytes }) => formatBytes(kvBytes.end),
  },
  {
    name: "Full",
    meaning:
      "What the cache would take if no row had been dropped: all rows so far, rounded up to " +
      "the capacity step of 64 rows, times the bytes of a row.",
    of: ({ kvBytes }) => formatBytes(kvBytes.full),
  },
  {
    name: "Peak",
    meaning:
      "The largest value during the turn. The whole prompt is prefilled before rows can be " +
      "dropped; trimming replaces one layer at a time, so the peak is one layer above the full size. " +
      "Lanes of a comparison share one prefill, and their peak is planned before the first fork.",
    of: ({ kvBytes }) => formatBytes(kvBytes.peak),
  },
  {
    name: "Keep",
    meaning:
      "The share of the candidate rows that is kept, over all layers. With the scope on " +
      "visual tokens all text rows are kept.",
    of: ({ retention }) => formatRetention(retention),
  },
  {
    name: "Time per token",
    meaning:
      "The median time from one token to the next, on the clock of the engine's worker, from the " +
      "second token on. A software adapter computes correctly, but its times are not representative.",
    of: ({ ms }) => (ms.decodePerToken.median > 0 ? formatMs(ms.decodePerToken.median) : "–"),
  },
  {
    name: "First token",
    meaning:
      "From the question to its first token: vision, prefill, scoring and compaction. In a " +
      "comparison it includes the shared work of the lanes and the lane's own.",
    of: ({ ms }) => formatMs(ms.firstToken),
  },
  {
    name: "Rows held",
    meaning: "Rows over all layers that the cache holds when the answer ends.",
    of: (result) => formatCount(rowCounters(result).held),
  },
  {
    name: "Rows read",
    meaning: "Rows over all layers that the attention of one token reads, on average.",
    of: (result) => formatCount(rowCounters(result).readPerToken),
  },
  {
    name: "Agreement",
    meaning:
      "Words that an answer and the full cache's answer have in common, in the same order, over " +
      "the words of the longer one. It says whether the answer changed, not whether it is right.",
    of: () => "",
  },
  {
    name: "Speed",
    meaning:
      "A token reads the model's weights and the cache. On one page the weights outweigh the " +
      "cache of the embedded model, so dropping rows frees memory but hardly saves time.",
    of: () => "",
  },
];
