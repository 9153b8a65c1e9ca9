import { candidateScores, need } from "../../blocks/score";
import { globalScores } from "../../policies/cumulative/h2o";
import { forgetRatios, forgottenRows, textVisualShares } from "../../policies/question/tgvKv";
import { RowLedger } from "../decodeReference";
import {
  type Asked,
  ask,
  attentionOf,
  type Fixture,
  keptOf,
  numberParam,
  type Recomputed,
  spanParam,
} from "./fixture";
import { GENERATED, joined, newestRows, smallestGap } from "./folded";

/** `H2OCache` of the Elastic Cache release: one ranking for the whole model. */
export function h2oElasticRepo(fixture: Fixture): Recomputed {
  const { params, shape } = fixture;
  const asked = ask({
    policy: "h2o",
    options: { variant: "elasticRepo", sinks: numberParam(params, "start_size") },
    retention: 1 - numberParam(params, "evict_ratio"),
    attention: attentionOf(fixture),
    also: { columnSum: true },
  });
  const scores = globalScores(asked.input);
  const kept = keptOf(asked.plan, 0);
  const prefill = {
    forget_num: forgetNum(fixture),
    kept,
    len: kept.length,
    score_sum: Float32Array.from(scores),
    min_score_gap: smallestGap([scores.subarray(0, shape.seq - 1)]),
  };
  return {
    policies: ["h2o"],
    actual: { prefill, decode: play(fixture, asked), decode_error: null },
  };
}

/** `LocalCache` of the same release: sinks and the newest rows. */
export function localElasticRepo(fixture: Fixture): Recomputed {
  const asked = ask({
    policy: "streaming",
    options: { variant: "local", sinks: numberParam(fixture.params, "start_size") },
    retention: 1 - numberParam(fixture.params, "evict_ratio"),
    attention: attentionOf(fixture),
  });
  const kept = keptOf(asked.plan, 0);
  const prefill = { forget_num: forgetNum(fixture), kept, len: kept.length };
  return {
    policies: ["streaming"],
    actual: { prefill, decode: play(fixture, asked), decode_error: null },
  };
}

function forgetNum({ params, shape }: Fixture): number {
  return Math.trunc(shape.seq - shape.seq * (1 - numberParam(params, "evict_ratio")));
}

/** Every layer loses the same rows, so the first layer represents all. */
function play(fixture: Fixture, { policy, input, plan, options }: Asked) {
  const { layers, heads, seq } = fixture.shape;
  const rule = policy.decode!(input, plan, options);
  const kept = plan.layers.map((_, layer) => keptOf(plan, layer));
  const ledger = new RowLedger(rule, kept);
  return (fixture.inputs.decode ?? []).map((step, index) => {
    const seen = seq + index + 1;
    const before = ledger.layers[0]!.ids.length + 1;
    const attention = rule.victim.kind === "lowest" ? newestRows(step, layers, heads) : undefined;
    const due = ledger.step(GENERATED + index, seen, attention);
    return {
      num_of_token: seen,
      len_before: before,
      forget_num: due[0],
      ids_after: [...ledger.layers[0]!.ids],
    };
  });
}

/** `TGVKVCache` of the release. */
export function tgvKvOfficial(fixture: Fixture): Recomputed {
  const { params, shape } = fixture;
  const image = spanParam(params, "image_span");
  const { policy, options, input, plan } = ask({
    policy: "tgvkv",
    options: { variant: "release", sinks: numberParam(params, "start_size") },
    retention: 1 - numberParam(params, "evict_ratio"),
    attention: attentionOf(fixture, image),
  });
  const { textWeight, visualScore } = need(input, "textImage");
  const kept = plan.layers.map((_, layer) => keptOf(plan, layer));
  const prefill = {
    tv_share: Float32Array.from(textVisualShares(input)),
    forget_ratio: forgetRatios(input),
    forget_nums: forgottenRows(input),
    text_weight: textWeight.data,
    visual_score: joined(
      kept.map((_, layer) =>
        candidateScores(input, visualScore, layer, 0).subarray(image.start, image.end),
      ),
    ),
    kept,
    lens: kept.map((rows) => rows.length),
    protected_text_suffix: kept.map((rows) =>
      Math.max(1, rows.filter((row) => row >= image.end).length),
    ),
  };
  const ledger = new RowLedger(policy.decode!(input, plan, options), kept);
  const decode = (fixture.inputs.decode ?? []).map((step, index) => {
    const seen = shape.seq + index + 1;
    const before = ledger.layers.map(({ ids }) => ids.length + 1);
    ledger.step(GENERATED + index, seen, newestRows(step, shape.layers, shape.heads));
    return {
      num_of_token: seen,
      len_before: before,
      ids_after: ledger.layers.map(({ ids }) => [...ids]),
    };
  });
  return { policies: ["tgvkv"], actual: { prefill, decode } };
}
