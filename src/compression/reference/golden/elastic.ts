import { allLayerScores, need } from "../../blocks/score";
import { range } from "../../blocks/select";
import { officialSelection } from "../../policies/cumulative/elasticSelection";
import { type KeepPlan, PolicyError } from "../../types";
import { RowLedger } from "../decodeReference";
import { ask, attentionOf, type Fixture, keptOf, numberParam, type Recomputed } from "./fixture";
import { afterDecode, compressed, GENERATED, joined, smallestGap } from "./folded";

/** `ElasticCache` of the release: prefill with its argsort and merging, then the fixed point. */
export function elasticOfficial(fixture: Fixture): Recomputed {
  const { params, shape } = fixture;
  const ratio = numberParam(params, "evict_ratio");
  const sinks = numberParam(params, "start_size");
  const recent = numberParam(params, "protect_size");
  const asked = ask({
    policy: "elastic",
    options: {
      selection: "official",
      sinks,
      recent,
      distance: numberParam(params, "distance"),
      shortPrompt: "fail",
    },
    retention: 1 - ratio,
    attention: attentionOf(fixture),
    also: { columnSum: true },
  });
  const { input, plan, policy, options } = asked;
  const scores = allLayerScores(input, need(input, "columnSum"));
  const rows = shape.seq;
  const forget = Math.trunc(rows - rows * (1 - ratio));
  const layers = scores.map((layerScores, layer) => {
    const kept = [...keptOf(plan, layer)];
    if (forget <= 1) return { len: kept.length };
    const { order, anchors, thrown, into } = officialSelection(layerScores, forget, {
      sinks,
      recent,
    });
    const merge_into = Array.from(thrown, (place) => into[place]!);
    return { order, anchors, thrown, merge_into, kept, len: kept.length };
  });
  const k = compressed(fixture, plan, "k");
  const v = compressed(fixture, plan, "v");
  const lens = plan.layers.map((_, layer) => keptOf(plan, layer).length);
  const distance = numberParam(params, "distance");
  const prefill = {
    forget_num: forget,
    score_sum: joined(scores),
    layers,
    min_score_gap: smallestGap(scores.map((s) => s.subarray(sinks, rows - recent))),
    fixed_point: forget <= 1 ? 0 : distance > 0 ? distance : rows - forget + distance,
    lens,
    k,
    v,
  };
  const rule = policy.decode!(input, plan, options);
  const ledger = new RowLedger(
    rule,
    lens.map((len) => range(0, len)),
  );
  const { decode, error } = play(fixture, ledger);
  const actual = {
    prefill,
    decode,
    decode_error: error,
    ...(!error && {
      final_k: finalRows(fixture, k, lens, ledger, "k"),
      final_v: finalRows(fixture, v, lens, ledger, "v"),
    }),
  };
  return { policies: ["elastic"], actual, ...waiveFailure(fixture, error) };
}

function finalRows(
  fixture: Fixture,
  prompt: Float32Array,
  lens: readonly number[],
  ledger: RowLedger,
  name: "k" | "v",
): Float32Array {
  return afterDecode(
    fixture,
    prompt,
    lens,
    ledger.layers.map(({ ids }) => ids),
    name,
  );
}

interface FixedPointFailure {
  readonly step: number;
  readonly error: "FIXED_POINT";
}

function play(fixture: Fixture, ledger: RowLedger) {
  const decode: Record<string, unknown>[] = [];
  const steps = fixture.inputs.decode ?? [];
  for (const step of steps.keys()) {
    const seen = fixture.shape.seq + step + 1;
    const before = ledger.layers[0]!.ids.length + 1;
    try {
      const due = ledger.step(GENERATED + step, seen);
      const ids = [...ledger.layers[0]!.ids];
      decode.push({
        num_of_token: seen,
        len_before: before,
        forget_num: due[0],
        len_after: ids.length,
        ids_after: ids,
      });
    } catch (error) {
      if (!(error instanceof PolicyError && error.code === "fixedPoint")) throw error;
      const failure: FixedPointFailure = { step, error: "FIXED_POINT" };
      return { decode, error: failure };
    }
  }
  return { decode, error: null };
}

/**
 * A release that fails records a few wrong steps first. Steps must agree up to the one at which we
 * report the failure, which must not be later than the release's own failure.
 */
function waiveFailure(fixture: Fixture, failure: FixedPointFailure | null): Partial<Recomputed> {
  const recorded = fixture.expected.decode_error as { readonly step?: number } | null | undefined;
  if (!failure || !recorded || failure.step > (recorded.step ?? Number.POSITIVE_INFINITY))
    return {};
  const reason = "the release's fixed point lies outside of its cache: FIXED_POINT";
  const steps = (fixture.expected.decode as unknown[]).length;
  const late = Array.from({ length: Math.max(0, steps - failure.step) }, (_, i) => [
    `decode[${failure.step + i}]`,
    reason,
  ]);
  return {
    waived: {
      decode_error: reason,
      "decode.length": reason,
      final_k: reason,
      final_v: reason,
      ...Object.fromEntries(late),
    },
  };
}

/** The paper's own selection and buckets. */
export function elasticPaper(fixture: Fixture): Recomputed {
  const { params, shape } = fixture;
  const retention = numberParam(params, "retention");
  const count = paperCount(fixture, retention * shape.seq);
  const { input, plan } = ask({
    policy: "elastic",
    options: {
      sinks: numberParam(params, "start_size"),
      recent: numberParam(params, "protect_size"),
    },
    retention,
    budget: count * shape.layers,
    attention: attentionOf(fixture),
    also: { columnSum: true },
  });
  const scores = allLayerScores(input, need(input, "columnSum"));
  return {
    policies: ["elastic"],
    actual: {
      score_sum: joined(scores),
      layers: plan.layers.map((_, layer) => ({
        anchors: keptOf(plan, layer),
        merge_into: mergeInto(plan, layer),
      })),
      k: compressed(fixture, plan, "k"),
      v: compressed(fixture, plan, "v"),
    },
  };
}

/** The paper does not specify how N_I = γT is rounded; the recorded length decides. */
function paperCount({ expected }: Fixture, exact: number): number {
  const rounded = Math.max(1, Math.round(exact));
  const layers = expected.layers as readonly { readonly anchors?: readonly number[] }[] | undefined;
  const recorded = layers?.[0]?.anchors?.length;
  return recorded === Math.trunc(exact) ? recorded : rounded;
}

function mergeInto(plan: KeepPlan, layer: number): Record<string, number> {
  const { merge } = plan.layers[layer]!;
  if (merge?.kind !== "assign") return {};
  return Object.fromEntries(
    Array.from(merge.into[0]!.entries()).filter(([, anchor]) => anchor >= 0),
  );
}
