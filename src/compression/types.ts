/**
 * What every compression policy is written against: attention reduced to numbers in, a plan out.
 *
 * Words: a *row* is one KV-cache entry of the prompt that was just prefilled, counted from 0 in
 * prompt order. The *domain* is those N rows; rows that were cached by earlier turns are not in it
 * and are never touched. *Candidates* C are the rows that may be dropped (the visual rows, or all
 * of them); rows outside of C are always kept. *Heads* are KV heads unless a text says query heads.
 */

import type { OptionSpecs, OptionValues } from "./options";

/** One number per row, layer and head: `data[(layer * heads + head) * rows + row]`. */
export interface RowScores {
  readonly layers: number;
  /** KV heads, or 1 where the heads were averaged. */
  readonly heads: number;
  readonly rows: number;
  readonly data: Float32Array;
}

/**
 * What the prefill must record. Reduced on the GPU and read back once per prompt; nothing that a
 * policy does not name is computed. A[l,h,q,j] is causal post-softmax attention; a value per KV
 * head is the mean over the query heads of its group. "Text rows" are the rows after the last
 * visual row of the prompt (without an image: the last min(N - 1, 32) rows).
 */
export interface TapSpec {
  /** Σ over all queries of A[l,h,q,j]. [L, G, N] */
  readonly columnSum?: true;
  /** Σ over all queries q of (1 - decay) · decay^(N-1-q) · A[l,h,q,j]. [L, G, N] */
  readonly movingAverage?: { readonly decay: number };
  /** A[l,h,N-1,j]. [L, G, N] */
  readonly lastRow?: true;
  /**
   * The last `rows` queries, at most `observationRows` (score.ts): after an image the text rows, else
   * N - 1; always at least one. `mean`: mean over those rows and the group; `max`: largest
   * value over rows and group; `defensive`: each query row, cut to the keys before the window
   * (j < N - rows), average-pooled with `kernel` (stride 1, zero padding, divisor `kernel`) and
   * rescaled to the mass it had before pooling, then the largest value over rows and group; 0 for
   * the window's own keys. `kernel` (odd) is used by `defensive` alone. [L, G, N]
   */
  readonly window?: {
    readonly rows: number;
    readonly aggregate: "mean" | "max" | "defensive";
    readonly kernel: number;
  };
  /**
   * AirCache: the voters E, chosen among the text rows T, vote on the candidates before T (scope
   * `visual`: the visual rows V; scope `prompt`: every row before the text window). A voter's row is
   * renormalised over those candidates and the voters k <= q, per query head; its vote is then
   * averaged over heads (all, or the group) and voters. T is never empty: a prompt that ends in an
   * image, or has one row, votes with its last row.
   */
  readonly elite?: {
    /**
     * `elite`: text rows with at least `alpha` of the maximum of the last row's attention,
     * renormalised over T per query head, then averaged over heads (all, or the group).
     */
    readonly window: "elite" | "allText" | "last16" | "last32";
    readonly alpha: number;
    /** One elite set and one importance per KV head instead of per layer. */
    readonly perKvHead: boolean;
  };
  /** VL-Cache: Σ over text rows, and the share of entries below `threshold` × the row's maximum. */
  readonly postVision?: { readonly threshold: number };
  /** TGV-KV: text-to-visual attention share, text weights and weighted visual scores. */
  readonly textImage?: true;
  /** Norms of keys and values and the keys' similarity to the mean unit key. [L, G, N] each */
  readonly keyStats?: true;
  /** FlashCache: deviation of K and V from their low-pass (DCT, lowest `gamma` N coefficients). */
  readonly spectral?: { readonly gamma: number };
}

/** The recorded counterpart of every `TapSpec` field; a field is present if it was asked for. */
export interface Taps {
  readonly columnSum?: RowScores;
  readonly movingAverage?: RowScores;
  readonly lastRow?: RowScores;
  readonly window?: RowScores;
  readonly elite?: {
    /** Importance I per key, 0 outside the keys that were voted on. heads = 1 or KV heads. */
    readonly importance: RowScores;
    /** [layer][head]: the rows that voted, ascending. */
    readonly rows: readonly (readonly Uint32Array[])[];
  };
  readonly postVision?: {
    /** Σ over text rows of A, mean over the group. */
    readonly sum: RowScores;
    /** γ per layer in [0, 1]: share of causal entries below threshold × row maximum, mean over heads. */
    readonly sparsity: Float32Array;
  };
  readonly textImage?: {
    /** [L] Σ of head-mean attention from text rows to visual rows. */
    readonly visualShare: Float32Array;
    /** [L, 1, textRows] text weights u. */
    readonly textWeight: RowScores;
    /** [L, 1, N] Σ_i u_i Ā[i, j] for visual j, 0 elsewhere. */
    readonly visualScore: RowScores;
  };
  readonly keyStats?: {
    readonly keyNorm: RowScores;
    readonly valueNorm: RowScores;
    /** cos(K_j, mean over rows of unit keys). */
    readonly keyCosine: RowScores;
    /** [L, G] squared norm of the mean unit key. */
    readonly meanKeyNorm2: Float32Array;
  };
  readonly spectral?: {
    /** MSE(K_j, low-pass) + MSE(V_j, low-pass). */
    readonly deviation: RowScores;
    /** [L] high-frequency energy share of K plus that of V. */
    readonly highShare: Float32Array;
  };
}

/** Half-open range of rows. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface PlanInput {
  readonly layers: number;
  /** KV heads G. */
  readonly kvHeads: number;
  /** N: rows of the domain. */
  readonly rows: number;
  /** The visual rows, ascending and disjoint; one span per image tile. */
  readonly visual: readonly Span[];
  /** First text row after the last visual row: the prompt's question starts here. */
  readonly textStart: number;
  /** C, ascending. */
  readonly candidates: Uint32Array;
  /** Rows of C to keep, summed over the layers: max(L, round(retention · |C| · L)). */
  readonly budget: number;
  /** Fraction of C to keep, in (0, 1]. */
  readonly retention: number;
  readonly taps: Taps;
  readonly seed: number;
  /** Rotary embedding of the keys; needed by `protect: ivc` alone. */
  readonly rotary?: Rotary;
  /**
   * Rows of C to keep per layer (mean over heads), where the caller has settled them already; a
   * policy then ranks only. Absent: the policy's own layer budgets.
   */
  readonly layerRows?: readonly number[];
}

export interface Rotary {
  /** Base of the geometric frequencies, e.g. 10 000. */
  readonly theta: number;
  readonly headDim: number;
  /** Position of row 0 of the domain; default 0. */
  readonly firstPosition?: number;
}

/**
 * How rows that leave the cache are folded into rows that stay. Every value is read as it was before
 * the merge. A kept row may itself be absorbed by another kept row, or by itself (it then counts
 * twice): released Elastic Cache does both.
 */
export type MergePlan =
  | {
      readonly kind: "assign";
      /** Per list of `LayerPlan.keep`: for each domain row the kept row that absorbs it, or -1. */
      readonly into: readonly Int32Array[];
      /** `mean`: plain mean with the keeper; `pivot`: mean(K_p, (K_d + K_p) / 2 …) (LOOK-M). */
      readonly rule: "mean" | "pivot";
    }
  | {
      /** Each dropped row goes to the kept row with the highest key cosine, per head (LOOK-M). */
      readonly kind: "nearestKey";
      readonly rule: "mean" | "pivot";
      /** The only rows that may absorb, ascending; absent: every kept row. */
      readonly among?: Uint32Array;
    };

export interface LayerPlan {
  /** Kept rows of the domain, strictly ascending: one list for all heads, or one per KV head. */
  readonly keep: readonly Uint32Array[];
  readonly merge?: MergePlan;
}

export interface KeepPlan {
  readonly layers: readonly LayerPlan[];
  /**
   * What the rows were ranked by, for showing: larger is kept first; 0 where a row has no score. heads = 1
   * or KV heads. Absent where a policy ranks by no score.
   */
  readonly scores?: RowScores;
  /** Numbers worth showing next to the plan (a threshold, a layer's strength), by name. */
  readonly notes?: Readonly<Record<string, number | readonly number[]>>;
  /** One sentence each: what was clamped because this prompt or budget has no room for it. */
  readonly notices?: readonly string[];
}

/** What happens to the cache at each decoded token. Counts are decided here, on the CPU. */
export interface DecodeRule {
  /**
   * Rows that `layer` must shed now. `rows`: rows the rule governs, the newest included; `seen`:
   * tokens seen so far, the newest included (as if nothing had ever been dropped).
   */
  due(layer: number, rows: number, seen: number): number;
  readonly victim:
    | {
        /** By age: place in the layer's list of rows, oldest first. */
        readonly kind: "age";
        index(layer: number, rows: number): number;
      }
    | {
        /** The row with the lowest score; ties to the lowest slot. Found on the GPU. */
        readonly kind: "lowest";
        /** `sum`: prefill column sums plus every later row; `last`: the newest attention row alone. */
        readonly scores: "sum" | "last";
        /**
         * With `sum`, where a release starts from other sums: by place in the list of rows, oldest
         * first, rows that are still to come included. Reproduced off the GPU only.
         */
        readonly initial?: Float64Array;
        /** One victim for all heads of a layer (scores averaged), or one per KV head. */
        readonly perHead: boolean;
        /**
         * `model`: one victim for all layers, scores averaged over them (reproduced off the GPU only).
         * Absent: each layer its own.
         */
        readonly across?: "model";
        /** Oldest and newest rows that are exempt: one number, or one per layer. */
        readonly protectFirst: number;
        readonly protectLast: number | readonly number[];
      };
}

/** A compression method: numbers in, plan out. No GPU, no clock, no I/O; randomness from `seed`. */
export interface Policy {
  /** Stable id: command line, URL, result files. */
  readonly id: string;
  readonly label: string;
  /** One sentence for the menu. */
  readonly summary: string;
  readonly paper?: { readonly title: string; readonly venue: string; readonly url: string };
  /** Where an authors' release exists. */
  readonly release?: string;
  readonly options: OptionSpecs;
  /** `false`: by age, distance or chance; its plans carry no scores. */
  readonly ranks?: false;
  /** Newest candidates that its defaults keep besides `recent`, where the budget has room for them. */
  readonly keepsNewest?: number;
  /** How these options break the rule of the exact budget: one sentence. */
  deviation?(options: OptionValues): string | undefined;
  /** Then: rows of C that each layer keeps instead of its budget (mean over heads); tested exactly. */
  deviantRows?(input: PlanInput, options: OptionValues): readonly number[];
  taps(options: OptionValues): TapSpec;
  /** @throws PolicyError for options that cannot hold on this input. */
  plan(input: PlanInput, options: OptionValues): KeepPlan;
  /** Absent: nothing is evicted while decoding. */
  decode?(input: PlanInput, plan: KeepPlan, options: OptionValues): DecodeRule;
}

/** A policy was asked for something that it cannot do; the message is one sentence for the user. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  /** `fixedPoint`: a release's eviction slot lies outside of the cache. */
  readonly code: "options" | "fixedPoint";

  constructor(message: string, code: "options" | "fixedPoint" = "options") {
    super(message);
    this.code = code;
  }
}
