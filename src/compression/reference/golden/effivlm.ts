import { headScores, need } from "../../blocks/score";
import { effivlmShares } from "../../policies/question/vlCache";
import { ask, attentionOf, type Fixture, keptPerHead, number, span } from "./fixture";
import { compressed, joined } from "./folded";
import type { Reading } from "./methods";

/** VL-Cache of EffiVLM-Bench. */
export function vlCacheEffivlm(fixture: Fixture): Reading {
  const { params, shape } = fixture;
  const fixed = params.different_window_per_layer === false;
  const question = shape.seq - number(params, "post_vision");
  const asked = ask({
    policy: "vlcache",
    options: {
      reading: fixed ? "effivlmFixed" : "effivlm",
      heads: params.head_adaptive === true ? "perKvHead" : "shared",
      threshold: number(params, "threshold_p"),
      recentShare: number(params, "window_fraction"),
    },
    retention: number(params, "alpha"),
    attention: attentionOf(fixture, { start: 0, end: question }),
  });
  const { sparsity } = need(asked.input.taps.postVision, "postVision");
  const kept = keptPerHead(asked);
  return {
    policies: ["vlcache"],
    actual: {
      sparsity,
      budget_ratio: effivlmShares(asked.input, fixed),
      kept_per_kv_head: kept,
      lens: kept.map((heads) => heads[0]!.length),
    },
  };
}

/** Merged rows were rounded to bfloat16 by the recording. */
const BFLOAT16_TOLERANCE = 3e-2;

/** LOOK-M of EffiVLM-Bench. */
export function lookMEffivlm(fixture: Fixture): Reading {
  const { params } = fixture;
  const asked = ask({
    policy: "lookm",
    options: {
      reading: "effivlm",
      recentShare: number(params, "recent_fraction"),
      merge: params.merge === true ? "pivot" : "drop",
    },
    retention: number(params, "budget"),
    attention: attentionOf(fixture, span(params, "image_span")),
  });
  const { input, plan } = asked;
  const sums = need(input.taps.columnSum, "columnSum");
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
