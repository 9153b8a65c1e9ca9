import { columnSum } from "./columnSum";
import { elite } from "./elite";
import { keyStats } from "./keyStats";
import { lastRow } from "./lastRow";
import { movingAverage } from "./movingAverage";
import { postVision } from "./postVision";
import { spectral } from "./spectral";
import type { PromptAttention, TapDefinition } from "./tap";
import { textImage } from "./textImage";
import { window } from "./window";

/**
 * The only list of taps, what a prefill can record for a policy. A[l,h,q,j] is causal post-softmax attention;
 * a value per KV head is the mean over the query heads of its group.
 */
export const TAPS = {
  columnSum,
  movingAverage,
  lastRow,
  window,
  elite,
  postVision,
  textImage,
  keyStats,
  spectral,
};

/** Taps by name. */
// biome-ignore lint/suspicious/noExplicitAny: each tap has a spec and a value of its own
export type TapDefinitions = Readonly<Record<string, TapDefinition<any, unknown>>>;

/** What a prefill must record. It is reduced on the GPU and read back once; nothing else is computed. */
export type SpecOf<D extends TapDefinitions> = {
  readonly [N in keyof D]?: Parameters<D[N]["reference"]>[0];
};

/** The recorded counterpart of a spec; a field is present if it was requested. */
export type ValuesOfTaps<D extends TapDefinitions> = {
  readonly [N in keyof D]?: ReturnType<D[N]["reference"]>;
};

export type TapSpec = SpecOf<typeof TAPS>;
export type Taps = ValuesOfTaps<typeof TAPS>;

/** The taps of a prompt from its whole attention, in double precision. */
export function tapsFromAttention<D extends TapDefinitions = typeof TAPS>(
  spec: NoInfer<SpecOf<D>>,
  input: PromptAttention,
  definitions: D = TAPS as unknown as D,
): ValuesOfTaps<D> {
  const recorded = Object.entries(spec)
    .filter(([, asked]) => asked !== undefined)
    .map(([name, asked]) => [name, definitions[name]!.reference(asked, input)]);
  return Object.fromEntries(recorded);
}
