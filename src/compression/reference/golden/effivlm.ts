import { headScores, need } from "../../blocks/score";
import { effivlmShares } from "../../policies/question/vlCache";
import {
  ask,
  attentionOf,
  type Fixture,
  keptPerHead,
  numberParam,
  type Recomputed,
  spanParam,
} from "./fixture";
import { compressed, joined } from "./folded";

/** VL-Cache of EffiVLM-Bench. */
export function vlCacheEffivlm(fixture: Fixture): Recomputed {
  const { params, shape } = fixture;
  const variant = params.different_window_per_layer === false ? "effivlmFixed" : "effivlm";
  const question = shape.seq - numberParam(params, "post_vision");
  const asked = ask({
    policy: "vlcache",
    options: {
      variant,
      heads: params.head_adaptive === true ? "perKvHead" : "shared",
      threshold: numberParam(params, "threshold_p"),
      recentShare: numberParam(params, "window_fraction"),
    },
    retention: numberParam(params, "alpha"),
    attention: attentionOf(fixture, { start: 0, end: question }),
  });
  const { sparsity } = need(asked.input, "postVision");
  const kept = keptPerHead(asked);
  return {
    policies: ["vlcache"],
    actual: {
      sparsity,
      budget_ratio: effivlmShares(asked.input, variant),
      kept_per_kv_head: kept,
      lens: kept.map((heads) => heads[0]!.length),
    },
  };
}

/** Merged rows were rounded to bfloat16 by the recording. */
const BFLOAT16_TOLERANCE = 3e-2;

/** LOOK-M of EffiVLM-Bench. */
export function lookMEffivlm(fixture: Fixture): Recomputed {
  const { params } = fixture;
  const asked = ask({
    policy: "lookm",
    options: {
      variant: "effivlm",
      recentShare: numberParam(params, "recent_fraction"),
      merge: params.merge === true ? "pivot" : "drop",
    },
    retention: numberParam(params, "budget"),
    attention: attentionOf(fixture, spanParam(params, "image_span")),
  });
  const { input, plan } = asked;
  const sums = need(input, "columnSum");
  return {
    policies: ["lookm"],
    actual: {
      importance: joined(headScores(input, sums, 0)),
      kept_per_kv_head: keptPerHead(asked)[0],
      k: compressed(fixture, plan, "k"),
      v: compressed(fixture, plan, "v"),
    },
    tolerance: BFLOAT16_TOLERANCE,
  };
}
