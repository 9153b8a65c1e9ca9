/**
 * What every compression policy is written against: attention reduced to numbers in, a plan out.
 *
 * Words: a *row* is one KV-cache entry of the prompt that was just prefilled, counted from 0 in
 * prompt order. The *span* is those N rows; rows that were cached by earlier turns are not in it
 * and are never touched. *Candidates* C are the rows that may be dropped (the visual rows, or all
 * of them); rows outside of C are always kept. *Heads* are KV heads unless a text says query heads.
 */

import type { OptionSpecs, OptionValues } from "./options";
import type { Span } from "./taps/prompt";
import type { TapSpec, Taps } from "./taps/registry";
import type { RowScores } from "./taps/tap";

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
  /** Position of row 0 of the span; default 0. */
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
      /** Per list of `LayerPlan.keep`: for each row of the span the kept row that absorbs it, or -1. */
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
  /** Kept rows of the span, strictly ascending: one list for all heads, or one per KV head. */
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
