/** What stands behind each number on the page. */
export const NUMBERS: readonly { readonly name: string; readonly meaning: string }[] = [
  {
    name: "KV cache",
    meaning:
      "The sizes of the live GPU buffers that hold keys and values, as the engine allocated them. " +
      "Browsers report no memory use, so this is a ledger of what was handed out and freed.",
  },
  {
    name: "Full",
    meaning:
      "What the cache would take now if nothing had been dropped: all rows so far, rounded up to " +
      "the capacity step of 64 rows, times the bytes of a row.",
  },
  {
    name: "Keep",
    meaning:
      "The share of the candidate rows that stays, over all layers together. With the scope on " +
      "visual tokens the text is kept whole.",
  },
  {
    name: "Time per token",
    meaning:
      "The median time from one token to the next, on the clock of the engine's worker, from the " +
      "second token on. A software adapter is right, but its times are not representative.",
  },
  {
    name: "First token",
    meaning: "From the question to its first token: vision, prefill, scoring and compaction.",
  },
  {
    name: "Rows held, rows read",
    meaning:
      "Rows over all layers: how many the cache holds when the answer ends, and how many the " +
      "attention of one token reads on average.",
  },
  {
    name: "Speed",
    meaning:
      "A token reads the model's weights and the cache. On one page the weights outweigh the " +
      "cache of the embedded model, so dropping rows frees memory and time hardly falls.",
  },
];
