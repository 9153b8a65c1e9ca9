import { uniformBudget } from "./blocks/budget";
import { keepTop, layerCounts, type Protection, planLayers } from "./blocks/select";
import { definePolicy, type PolicySpec } from "./definePolicy";
import type { OptionSpecs, ValuesOf } from "./options";
import type { PlanInput, Policy } from "./types";

/** A policy that scores rows and keeps the best ones. */
export interface ScoreSpec<S extends OptionSpecs> extends Omit<PolicySpec<S>, "plan"> {
  /**
   * Scores of one layer's candidates, higher is kept: one list for all heads, or one per KV head. A list
   * may end before the newest candidates: these are kept without a score (an observation window).
   */
  score(input: PlanInput, layer: number, options: ValuesOf<S>): readonly Float64Array[];
  /** Rows per layer, `input.budget` in all. Default: the same number in every layer. */
  budget?(input: PlanInput, options: ValuesOf<S>): readonly number[];
  /** Oldest and newest candidates that a layer keeps. Default: the options `sinks` and `recent`. */
  protect?(
    options: ValuesOf<S>,
    layer: { readonly input: PlanInput; readonly index: number; readonly count: number },
  ): Protection;
}

/** With options that deviate from the exact budget, a layer keeps `deviantRows`. */
export function scorePolicy<S extends OptionSpecs>(spec: ScoreSpec<S>): Policy {
  const { score, budget, protect, ...rest } = spec;
  const own = (input: PlanInput, options: ValuesOf<S>) =>
    budget?.(input, options) ?? uniformBudget(input.budget, input.layers);
  return definePolicy<S>({
    ...rest,
    plan(input, options) {
      const counts = rest.deviation?.(options)
        ? (rest.deviantRows?.(input, options) ?? [])
        : layerCounts(input, () => own(input, options));
      return planLayers(input, counts, (index, count) => {
        const protection = protect?.(options, { input, index, count }) ?? protectedBy(options);
        return score(input, index, options).map((scores) => {
          const unscored = input.candidates.length - scores.length;
          const last = Math.max(protection.last, unscored);
          return keepTop(scores, count, { ...protection, last }, input.candidates.length);
        });
      });
    },
  });
}

function protectedBy(options: Readonly<Record<string, unknown>>): Protection {
  return { first: Number(options.sinks ?? 0), last: Number(options.recent ?? 0) };
}
