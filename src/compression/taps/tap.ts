import type { TapPrompt } from "./prompt";

/** One number per row, layer and head: `data[(layer * heads + head) * rows + row]`. */
export interface RowScores {
  readonly layers: number;
  /** KV heads, or 1 if the heads are averaged. */
  readonly heads: number;
  readonly rows: number;
  readonly data: Float32Array;
}

/** One prompt's full attention; for small sizes only (fixtures, tests, `npm run policy`). */
export interface PromptAttention extends TapPrompt {
  readonly layers: number;
  /** H, query heads: a multiple of `kvHeads`. */
  readonly heads: number;
  readonly kvHeads: number;
  /** A[l,h,q,0..q], causal and after softmax. */
  attention(layer: number, head: number, query: number): Float32Array;
  /** For taps over keys and values. */
  readonly keyValues?: KeyValues;
}

/** Cached keys and values of a prompt, each [L, G, N, D]. */
export interface KeyValues {
  readonly kvHeads: number;
  readonly rows: number;
  readonly headDim: number;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/**
 * The definition of a tap: its specification, its value, and its formula as code in double
 * precision. The kernels in `model/taps` are tested against it.
 */
export interface TapDefinition<Spec, Value> {
  /** Specifications for the tests, covering every branch of the formula. */
  readonly examples: readonly Spec[];
  reference(spec: Spec, input: PromptAttention): Value;
}
