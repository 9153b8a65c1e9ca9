/**
 * The interface of compression policies: reduced attention (taps) in, a plan out.
 *
 * Words: a *row* is one KV-cache entry of the prompt that was just prefilled, counted from 0 in
 * prompt order. The *span* is those N rows. Rows cached by earlier turns are not in it and never
 * change. *Candidates* C are the rows that may be dropped (the visual rows, or all of them); rows
 * outside of C are always kept. *Heads* are KV heads unless a text says query heads.
 */

import type { OptionSpecs, OptionValues } from "./options";
import type { Span } from "./taps/prompt";
import type { TapSpec, Taps } from "./taps/registry";
import type { RowScores } from "./taps/tap";

/** What is known of the visual rows before the prefill, in the order of `visual`. */
export interface VisionTaps {
  /** The rows as the decoder receives them, f32 [visual rows, width]. */
  readonly features?: { readonly width: number; readonly data: Float32Array };
  /**
   * [visual rows]: attention that a row's patches receive in the encoder's last layer, mean over heads,
   * from the class token or, without one, mean over all patches.
   */
  readonly attention?: Float32Array;
  /** Keys of the encoder's last layer, mean over heads and a row's patches, f32 [visual rows, width]. */
  readonly keys?: { readonly width: number; readonly data: Float32Array };
  /** [visual rows]: the first row of the same image with the same pixels; the row itself if it is that. */
  readonly firstEqual?: Uint32Array;
  /** Per span of `visual`: how its rows lie in the image. */
  readonly grids?: readonly VisualGrid[];
}

export interface VisualGrid {
  readonly gridRows: number;
  readonly gridColumns: number;
  /** Its last column holds no patches but ends the lines. */
  readonly endsLines?: boolean;
  /** The encoder can encode it with fewer rows. */
  readonly isScalable?: boolean;
}

export type SmallerGrid = readonly [rows: number, columns: number];

export interface PlanInput {
  readonly layers: number;
  /** KV heads G. */
  readonly kvHeads: number;
  /** N: rows of the span. */
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
  /** For policies with `beforePrefill`: what they name there. */
  readonly vision?: VisionTaps;
  readonly seed: number;
  /** Rotary embedding of the keys; needed by `protect: ivc` alone. */
  readonly rotary?: Rotary;
  /**
   * Rows of C to keep per layer (mean over heads), if the caller has fixed them; the policy then
   * only ranks. Absent: the policy's own layer budgets.
   */
  readonly layerRows?: readonly number[];
}

export interface Rotary {
  /** Base of the geometric frequencies, e.g. 10 000. */
  readonly theta: number;
  readonly headDim: number;
  /** Position of row 0 of the span; default 0. */
  readonly firstPosition?: number;
}

/**
 * How dropped rows are merged into kept rows. Every value is read as it was before the merge. A
 * kept row may itself be merged into another kept row, or into itself (it then counts twice): the
 * release of Elastic Cache does both.
 */
export type MergePlan =
  | {
      readonly kind: "assign";
      /** Per list of `LayerPlan.keep`: for each row of the span the kept row that absorbs it, or -1. */
      readonly into: readonly Int32Array[];
      /** `mean`: plain mean with the kept row; `pivot`: mean(K_p, (K_d + K_p) / 2 …) (LOOK-M). */
      readonly rule: "mean" | "pivot";
    }
  | {
      /** Each dropped row goes to the kept row with the highest key cosine, per head (LOOK-M). */
      readonly kind: "nearestKey";
      readonly rule: "mean" | "pivot";
      /** The only rows that others may be merged into, ascending; absent: every kept row. */
      readonly among?: Uint32Array;
    };

export interface LayerPlan {
  /** Kept rows of the span, strictly ascending: one list for all heads, or one per KV head. */
  readonly keep: readonly Uint32Array[];
  readonly merge?: MergePlan;
}

export interface KeepPlan {
  readonly layers: readonly LayerPlan[];
  /**
   * The scores of the ranking, for display: larger is kept first; 0 for a row without a score.
   * heads = 1 or KV heads. Absent if the policy does not rank by a score.
   */
  readonly scores?: RowScores;
  /**
   * Per span of `visual`: its grid, if the encoder is to encode it smaller, before the prefill. The kept visual rows
   * take the features, in order.
   */
  readonly smaller?: readonly SmallerGrid[];
  /**
   * Of features that merge, before the prefill: F_t + mean(F_i) instead of the mean of all, and before the connector
   * where that takes each row by itself.
   */
  readonly addsFeatures?: true;
  /** Numbers to show with the plan (a threshold, a layer's strength), by name. */
  readonly notes?: Readonly<Record<string, number | readonly number[]>>;
  /** One for each value that was clamped for this prompt or budget. */
  readonly notices?: readonly PlanNotice[];
}

/** A value that was clamped: a code and its numbers. Its words are in `src/language`. */
export type PlanNotice =
  /** The text after the image is shorter than the observation window. */
  | { readonly code: "shorterWindow"; readonly asked: number; readonly used: number }
  /** The observation window alone exceeds a layer's budget; its newest rows are kept. */
  | { readonly code: "windowOnly"; readonly rows: number }
  /** Sinks and recent rows together exceed a layer's budget. */
  | { readonly code: "fewerProtected"; readonly asked: number; readonly rows: number }
  /** The encoder takes no smaller tiles: its rows were averaged instead. */
  | { readonly code: "rowsAveraged" }
  /** `protect: ivc` takes at most half of the budget. */
  | { readonly code: "fewerAnchors"; readonly asked: number; readonly used: number };

/** Eviction at each decoded token. Counts are decided here, on the CPU. */
export interface DecodeRule {
  /**
   * Rows that `layer` must evict now. `rows`: rows that the rule applies to, the newest included;
   * `seen`: tokens seen so far, the newest included (dropped ones count).
   */
  due(layer: number, rows: number, seen: number): number;
  readonly victim:
    | {
        /** By age: index into the layer's list of rows, oldest first. */
        readonly kind: "age";
        index(layer: number, rows: number): number;
      }
    | {
        /** The row with the lowest score; ties to the lowest slot. Found on the GPU. */
        readonly kind: "lowest";
        /** `sum`: prefill column sums plus every later row; `last`: the newest attention row alone. */
        readonly scores: "sum" | "last";
        /**
         * With `sum`, for a release that starts from other sums: by index into the list of rows,
         * oldest first, future rows included. Supported on the CPU only.
         */
        readonly initial?: Float64Array;
        /** One victim for all heads of a layer (scores averaged), or one per KV head. */
        readonly perHead: boolean;
        /**
         * `model`: one victim for all layers, scores averaged over them (supported on the CPU
         * only). Absent: one per layer.
         */
        readonly across?: "model";
        /** Oldest and newest rows that are exempt: one number, or one per layer. */
        readonly protectFirst: number;
        readonly protectLast: number | readonly number[];
      };
}

/** A compression method as pure functions. No GPU, no clock, no I/O; randomness from `seed`. */
export interface Policy {
  /** Stable id: command line, URL, result files. */
  readonly id: string;
  readonly label: string;
  /** One sentence for the menu. */
  readonly summary: string;
  readonly paper?: { readonly title: string; readonly venue: string; readonly url: string };
  /** URL of the authors' release, if there is one. */
  readonly release?: string;
  readonly options: OptionSpecs;
  /** `false`: by age, distance or chance; its plans carry no scores. */
  readonly ranks?: false;
  /**
   * Its rows are chosen before the prefill, from these: the decoder computes no other row of an image. Its
   * plans are the same in all layers and name visual rows only; a merge is one of features.
   */
  readonly beforePrefill?: readonly (keyof VisionTaps)[];
  /** Newest candidates that its defaults keep besides `recent`, if the budget allows. */
  readonly keepsNewest?: number;
  /** How these options break the rule of the exact budget: one sentence. */
  deviation?(options: OptionValues): string | undefined;
  /**
   * In that case, the rows of C that each layer keeps instead of its budget (mean over heads);
   * tested exactly. Not of policies with `beforePrefill`: their layers keep the same rows.
   */
  deviantRows?(input: PlanInput, options: OptionValues): readonly number[];
  taps(options: OptionValues): TapSpec;
  /** @throws PolicyError for options that cannot hold on this input. */
  plan(input: PlanInput, options: OptionValues): KeepPlan;
  /** Absent: nothing is evicted while decoding. */
  decode?(input: PlanInput, plan: KeepPlan, options: OptionValues): DecodeRule;
}

/** A policy cannot do what its options ask for; the message is one sentence for the user. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  /** `fixedPoint`: a release's eviction slot is outside of the cache. */
  readonly code: "options" | "fixedPoint";

  constructor(message: string, code: "options" | "fixedPoint" = "options") {
    super(message);
    this.code = code;
  }
}
