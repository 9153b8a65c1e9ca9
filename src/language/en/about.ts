import type { Parts } from "../parts";

/** The page *About*. */
export const aboutEn = {
  what: "What you see here",
  whatText: <T>(visualTokens: (text: string) => T): Parts<T> => [
    "A vision-language model turns one image into hundreds of ",
    visualTokens("visual tokens"),
    ". Each stores a key and a value in the cache of every layer, and every token of the answer reads all of " +
      "them. The methods on this page keep a part of those rows and free the rest: the buffers " +
      "become smaller, and attention runs over fewer rows. All data stays on this device.",
  ],
  journey: "How a prompt becomes rows",
  methods: "How three methods choose",
  release: "Release",
  code: "Code",
  here: "Here",
  every: "Every policy",
  options: "Options",
  accuracy: {
    title: "What was measured",
    how: (questions: number, pages: number, full: string) =>
      `The embedded model answered ${questions} questions about ${pages} pages ` +
      `that it was not trained on, once for every method and share, from the same prefill. With the full cache ${full} of the answers are right.`,
    kept: "Kept of the image",
    reading:
      "Differences of less than about 5 points can be chance. The methods were published for models hundreds of times as " +
      "large, so their order may differ there.",
  },
  numbers: "What the numbers mean",
  licences: "Licences of this page and of what it contains",
  latest: (settings: string) => `The value beside each is from your last answer, with ${settings}.`,
  chat: "Chat",
  askFirst: <T>(chat: T): Parts<T> => [
    "Ask a question on the ",
    chat,
    " page to see its rows here: the text before the image, one row per visual token, and the words of the question.",
  ],
  cut: <T>(rows: number, columns: number, tiles: number, tokens: T): Parts<T> => [
    `Your image is cut into ${rows} × ${columns} patches${tiles > 1 ? ` in ${tiles} tiles` : ""}; ` +
      "the vision encoder turns each into one visual token: ",
    tokens,
    ".",
  ],
  prompt: <T>(counts: {
    readonly before: T;
    readonly after: T;
    readonly total: T;
    readonly layers: number;
    readonly rows: T;
  }): Parts<T> => [
    "With ",
    counts.before,
    " tokens before them and ",
    counts.after,
    " after them, the prompt has ",
    counts.total,
    ` tokens and as many rows in each of ${counts.layers} layers: `,
    counts.rows,
    ".",
  ],
  choose: <T>(kept: T): Parts<T> => [
    "The prefill records attention. The policy turns it into a list of rows per layer, and ",
    kept,
    " rows are kept. The more layers kept a patch, the clearer it is.",
  ],
  compact:
    "A kernel compacts the kept rows and the buffers are trimmed. A kept row keeps its " +
    "position in the prompt; the next token gets the next position.",
  askWith: <T>(policy: string, chat: T): Parts<T> => [
    `Ask with ${policy} on the `,
    chat,
    " page to see here what it kept in each layer.",
  ],
  asked: (settings: string, question: string) => `${settings}, “${question}”`,
  layersOf: (caption: string) => `Layers: ${caption}`,
  layer: "layer",
  measures: {
    kept: "rows kept",
    share: "of its rows",
    strength: "strength",
    skewness: "skewness",
  },
  seeds: {
    aircache: {
      idea:
        "The question's tokens score the visual tokens, but only the tokens that the last one attends " +
        "to most: the elite. A layer with strong and concentrated scores keeps more rows.",
      formula: [
        "E = { j : a[last, j] ≥ α · max a[last, ·] }   a: A over the question's tokens alone, α = 0.9",
        "I[v] = mean over q in E of A[q, v]   renormalised over the visual rows V and E",
        "share of layer l = ½ (strength[l] + skewness[l]) · keep   strength = Σ I[v], skewness of I",
        "keep all text and the visual rows with the largest I[v]; drop the others, merge nothing",
      ],
      release:
        "No code was released, and the paper does not specify how heads are combined, how the two measures " +
        "are scaled and how rows are rounded.",
      here:
        "Heads are averaged, both measures are scaled to a mean of 1 with negative skewness set to 0, " +
        "and rows are rounded so that all layers together meet the budget exactly.",
    },
    prefixkv: {
      idea:
        "Every layer keeps the same share of its attention, not the same number of rows: a layer " +
        "that spreads its attention keeps many rows, one that attends to few tokens keeps few.",
      formula: [
        "I[l, j] = Σ over all queries q of A[l, q, j]",
        "C[l] = cumulative sum of I[l] / Σ I[l], in descending order",
        "rows of layer l = first i with C[l][i] ≥ p   one p for all layers, found by search",
        "keep the first row, the newest one and the rows with the largest I[l, j]",
        "scope “Whole prompt”: while decoding, one row at a fixed place is evicted whenever a layer holds more than its share",
      ],
      release:
        "The released search stops within five rows over all layers, rescales the result and truncates " +
        "it, and does not terminate if the count skips its target. Its tables were made with " +
        "fractions averaged offline. The next token's position is the length of layer 0.",
      here:
        "The p that meets the budget is found exactly. Layer budgets “released” runs the authors' " +
        "search, “config” takes fractions that were averaged over sample pages, and positions " +
        "“layer0Length” count as they do.",
    },
    elastic: {
      idea:
        "Dropped rows are merged: the most important rows are anchors, and each of the others " +
        "is averaged into the nearest anchor.",
      formula: [
        "I[l, j] = Σ over all queries q of A[l, q, j]",
        "keep the first row, the newest one and the anchors: the top rows of I[l], as many in every layer",
        "K, V of an anchor = mean over its bucket   buckets split half way between two anchors",
        "scope “Whole prompt”: while decoding, the row 25 places before the compressed prompt's end is evicted to keep the share",
      ],
      release:
        "The released selection compares argsort's output with a rank, which is not the rank of the " +
        "scores; its evicted indices lack the sink's offset, and it keeps one row less than its target. " +
        "The next token's position is the length of layer 0.",
      here:
        "The paper's selection by default; “official” repeats the release, defects included, and " +
        "positions “layer0Length” count as it does.",
    },
  },
  meanings: {
    kvCache: {
      name: "KV cache",
      meaning:
        "The sizes of the live GPU buffers that hold keys and values, as the engine allocated them. " +
        "Browsers report no memory use, so the page counts the buffers that were created and freed.",
    },
    full: {
      name: "Full",
      meaning:
        "What the cache would take if no row had been dropped: all rows so far, rounded up to " +
        "blocks of 64 rows, times the bytes of a row.",
    },
    peak: {
      name: "Peak",
      meaning:
        "The largest value during the turn. The whole prompt is prefilled before rows can be " +
        "dropped; trimming replaces one layer at a time, so the peak is one layer above the full size. " +
        "Lanes of a comparison share one prefill, and their peak is planned before the first fork.",
    },
    keep: {
      name: "Keep",
      meaning:
        "The share of the candidate rows that is kept, over all layers. With the scope on " +
        "visual tokens all text rows are kept.",
    },
    cacheType: {
      name: "KV cache in 8 or 4 bits",
      meaning:
        "Under “Use another model”, keys and values can be stored in 8 or 4 bits instead of 16: about half, or " +
        "less than a third, of the bytes of every row. Without dropping rows, the embedded model answers " +
        "99.3 % of 431 test questions exactly with 16, 8 and 4 bits, computed in PyTorch with the same rounding. Other models were not measured.",
    },
    unsure: {
      name: "This answer may be wrong",
      meaning:
        "Stands under an answer whose words had a low probability, or whose image is unlike the pages " +
        "that the model was trained on. An answer without this sentence can be wrong, too.",
    },
    time: {
      name: "Time per token",
      meaning:
        "The median time from one token to the next, on the clock of the engine's worker, from the " +
        "second token on. A software adapter computes correctly, but its times are not representative.",
    },
    firstToken: {
      name: "First token",
      meaning:
        "From the question to its first token: vision, prefill, scoring and compaction. In a " +
        "comparison it includes the shared work of the lanes and the lane's own.",
    },
    cached: {
      name: "Rows cached",
      meaning: "Rows in the cache over all layers when the answer ends.",
    },
    read: {
      name: "Rows read",
      meaning: "Rows over all layers that the attention of one token reads, on average.",
    },
    agreement: {
      name: "Agreement",
      meaning:
        "Words that an answer and the full cache's answer have in common, in the same order, over " +
        "the words of the longer one. It says whether the answer changed, not whether it is right.",
    },
    speed: {
      name: "Speed",
      meaning:
        "A token reads the model's weights and the cache. On one page the weights outweigh the " +
        "cache of the embedded model, so dropping rows frees memory but hardly saves time.",
    },
  },
};
