import { dueToRatio } from "../../blocks/decodeRules";
import { releasedPrefixSearch } from "../../blocks/prefixBudget";
import { allLayerScores, need } from "../../blocks/score";
import { range } from "../../blocks/select";
import { evictionPlace, forgetCounts, searchOf } from "../../policies/cumulative/prefixKv";
import { RowLedger } from "../decodeReference";
import {
  ask,
  attentionOf,
  type Fixture,
  floats,
  keptOf,
  numberParam,
  type Recomputed,
} from "./fixture";
import { afterDecode, compressed, GENERATED, joined, smallestGap } from "./folded";

/** `PrefixKV` of the release: its bisection or a fixed configuration, then a fixed place per layer. */
export function prefixKvOfficial(fixture: Fixture): Recomputed {
  const { params, shape } = fixture;
  const online = params.online === true;
  const sinks = numberParam(params, "start_size");
  const distance = numberParam(params, "distance");
  const forget = Array.isArray(params.conf) ? params.conf.join(",") : "";
  const { input, plan, policy, options } = ask({
    policy: "prefixkv",
    options: { search: online ? "released" : "config", forget, sinks, distance },
    retention: 1 - numberParam(params, "evict_ratio"),
    attention: attentionOf(fixture),
  });
  const rows = shape.seq;
  const scores = allLayerScores(input, need(input, "columnSum"));
  const values = { search: online ? "released" : "config", forget, sinks } as const;
  const forgotten = forgetCounts(input, values);
  const ratios = online
    ? forgotten.map((count) => count / rows)
    : (params.conf as readonly number[]);
  const lens = plan.layers.map((_, layer) => keptOf(plan, layer).length);
  const k = compressed(fixture, plan, "k");
  const v = compressed(fixture, plan, "v");
  const search = online ? searchOf(input, sinks) : undefined;
  const prefill = {
    score_sum: joined(scores),
    kept: plan.layers.map((_, layer) => keptOf(plan, layer)),
    lens,
    evict_index: lens.map((len, layer) => evictionPlace(rows, forgotten[layer]!, len, distance)),
    ratios,
    min_score_gap: smallestGap(scores.map((s) => s.subarray(sinks, rows - 1))),
    forget_nums: forgotten,
    ...(search && {
      search: {
        target_num: shape.layers * rows * numberParam(params, "evict_ratio"),
        protect: sinks + numberParam(params, "protect_size"),
        counts_before_rescale: search.counts,
        p: search.threshold,
        iterations: search.iterations,
        forget_nums: forgotten,
      },
    }),
    k,
    v,
  };
  const ledger = new RowLedger(
    policy.decode!(input, plan, options),
    lens.map((len) => range(0, len)),
  );
  // The release counts all rows that are due but removes one row of a layer per step.
  const dueNow = dueToRatio((layer) => 1 - ratios[layer]!);
  const decode = (fixture.inputs.decode ?? []).map((_, step) => {
    const seen = rows + step + 1;
    const before = ledger.layers.map(({ ids }) => ids.length + 1);
    const due = before.map((len, layer) => dueNow(layer, len, seen));
    ledger.step(GENERATED + step, seen);
    return {
      num_of_token: seen,
      len_before: before,
      forget_nums: due,
      len_after: ledger.layers.map(({ ids }) => ids.length),
      ids_after: ledger.layers.map(({ ids }) => [...ids]),
    };
  });
  const ids = ledger.layers.map((layer) => layer.ids);
  const final_k = afterDecode(fixture, k, lens, ids, "k");
  const final_v = afterDecode(fixture, v, lens, ids, "v");
  return { policies: ["prefixkv"], actual: { prefill, decode, final_k, final_v } };
}

/** The bisection alone; for an unreachable target it ends at our iteration limit. */
export function prefixKvSearch(fixture: Fixture): Recomputed {
  const waived: Record<string, string> = {};
  const cases = (fixture.cases ?? []).map((each, index) => {
    const scores = floats(each.score_sum);
    const { seq, layers, target_num, protect } = each;
    const lists = Array.from({ length: layers }, (_, layer) =>
      Float64Array.from(scores.subarray(layer * seq, (layer + 1) * seq)),
    );
    const found = releasedPrefixSearch(lists, target_num, protect);
    if (target_num - layers * (seq - 1 - protect) >= 5) {
      for (const field of ["p", "iterations", "forget_nums"]) {
        waived[`cases[${index}].${field}`] = "the target cannot be reached; only counts must agree";
      }
    }
    const { counts, threshold: p, iterations, forget: forget_nums } = found;
    return { ...each, score_sum: scores, counts, p, iterations, forget_nums };
  });
  return { policies: ["prefixkv"], actual: { cases }, waived };
}
