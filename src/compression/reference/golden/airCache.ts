import { candidateScores, need } from "../../blocks/score";
import { range } from "../../blocks/select";
import { airCacheBudget } from "../../policies/question/airCacheBudget";
import { textAttention } from "../../taps/elite";
import {
  ask,
  attentionOf,
  type Fixture,
  keptOf,
  numberParam,
  type Recomputed,
  spanParam,
} from "./fixture";

/** Our restatement of AirCache's formulas: elite rows, importance, layer budgets, kept rows. */
export function airCacheReference(fixture: Fixture): Recomputed {
  const { params, shape } = fixture;
  const image = spanParam(params, "image_span");
  const attention = attentionOf(fixture, image);
  const { input, plan } = ask({
    policy: "aircache",
    options: { alpha: numberParam(params, "alpha") },
    retention: numberParam(params, "retention_of_visual"),
    attention,
    candidates: range(image.start, image.end),
  });
  const { importance, rows } = need(input, "elite");
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  const budget = airCacheBudget(input, "both");
  return {
    policies: ["aircache"],
    actual: {
      text_row: layers.map((layer) =>
        textAttention(attention, { layer, group: 0, size: shape.heads }).subarray(image.end),
      ),
      elite: layers.map((layer) => rows[layer]![0]!),
      importance: layers.map((layer) => candidateScores(input, importance, layer, 0)),
      strength: budget.strength,
      skewness: budget.skew,
      strength_norm: budget.strengthNorm,
      skewness_norm: budget.skewNorm,
      r_hat: budget.shares,
      n_keep_plain: budget.plain,
      n_keep_waterfill: budget.waterfill,
      total: input.budget,
      kept_visual_waterfill: layers.map((layer) =>
        keptOf(plan, layer).filter((row) => row >= image.start && row < image.end),
      ),
    },
  };
}
