import { headScores, layerScores, need } from "../../blocks/score";
import { range } from "../../blocks/select";
import type { OptionValues } from "../../options";
import { overVisibility } from "../../policies/cumulative/columnScores";
import { baconScores } from "../../policies/window/bacon";
import { floorAtMean, observedScores } from "../../policies/window/observation";
import type { PlanInput } from "../../types";
import {
  type Asked,
  ask,
  attentionOf,
  type Fixture,
  type FixtureParams,
  keptPerHead,
  numberParam,
  type Recomputed,
} from "./fixture";
import { joined } from "./folded";

/** One recorded setting of a kvpress scorer. */
interface Entry {
  readonly compression_ratio: number;
  readonly scores_kv_head?: string | null;
  readonly n_kept?: number;
  readonly kept_per_kv_head?: readonly (readonly number[])[];
  readonly window?: number;
  readonly beta?: number;
  readonly q_len?: number;
  readonly layers?: number;
}

interface Scorer {
  readonly policy: string;
  options(params: FixtureParams): OptionValues;
  /** kvpress's scores per KV head. */
  scores(asked: Asked, params: FixtureParams, kept: number): readonly Float64Array[];
  /** If kvpress keeps fewer rows than these, it breaks ties among them arbitrarily. */
  tied(params: FixtureParams, rows: number): Uint32Array;
}

const SCORERS: Readonly<Record<string, Scorer>> = {
  snapkv: {
    policy: "snapkv",
    options: (params) => windowOf(params),
    scores: ({ input }, params) => paddedWithMax(observedScores(input, 0, windowOf(params)), input),
    tied: (params, rows) => range(rows - numberParam(params, "window_size"), rows),
  },
  tova: {
    policy: "tova",
    options: () => ({}),
    scores({ input }) {
      const row = layerScores(input, need(input, "lastRow"), 0);
      const older = Array.from({ length: input.kvHeads }, () => row.subarray(0, row.length - 1));
      return paddedWithMax(older, input);
    },
    tied: (_, rows) => range(rows - 1, rows),
  },
  knorm: {
    policy: "knorm",
    options: () => ({}),
    scores: ({ input }) =>
      headScores(input, need(input, "keyStats").keyNorm, 0).map((norms) =>
        norms.map((norm) => -norm),
      ),
    tied: () => range(0, 0),
  },
  streaming_llm: {
    policy: "streaming",
    options: (params) => ({ sinks: numberParam(params, "n_sink") }),
    scores({ input }, params, kept) {
      const sinks = numberParam(params, "n_sink");
      const scores = new Float64Array(input.rows).fill(1).fill(0, sinks, sinks + input.rows - kept);
      return Array.from({ length: input.kvHeads }, () => scores);
    },
    tied: (params) => range(0, numberParam(params, "n_sink")),
  },
  observed_attention: {
    policy: "h2o",
    options: () => ({ scores: "visible", recentShare: 0 }),
    scores: ({ input }) =>
      headScores(input, need(input, "columnSum"), 0).map((sums) => overVisibility(input, sums)),
    tied: () => range(0, 0),
  },
};

function windowOf(params: FixtureParams) {
  return {
    window: numberParam(params, "window_size"),
    kernel: numberParam(params, "kernel_size"),
    pooling: params.pooling === "max" ? "max" : "avg",
  } as const;
}

/** kvpress gives protected rows the largest score plus one. */
function paddedWithMax(heads: readonly Float64Array[], { rows }: PlanInput): Float64Array[] {
  const max = Math.max(...heads.map((head) => head.reduce((a, b) => Math.max(a, b), -Infinity)));
  return heads.map((head) => {
    const padded = new Float64Array(rows).fill(max + 1);
    padded.set(head);
    return padded;
  });
}

/** The scorers of NVIDIA's kvpress, one layer each, and its PyramidKV budgets. */
export function kvpressScorers(fixture: Fixture): Recomputed {
  const attention = attentionOf(fixture);
  const rows = fixture.shape.seq;
  const actual: Record<string, unknown> = {};
  const waived: Record<string, string> = {};
  const policies = new Set<string>();
  for (const [name, list] of Object.entries(fixture.expected)) {
    const scorer = SCORERS[name];
    const entries = list as readonly Entry[];
    if (name === "pyramidkv_layer_budgets") {
      actual[name] = entries.map(pyramidBudgets);
      policies.add("pyramidkv");
      continue;
    }
    if (!scorer) throw new RangeError(`the kvpress scorer ${name} is not known`);
    policies.add(scorer.policy);
    actual[name] = entries.map((entry, index) => {
      const { compression_ratio } = entry;
      const kept = Math.trunc(rows * (1 - compression_ratio));
      const asked = ask({
        policy: scorer.policy,
        options: scorer.options(fixture.params),
        retention: 1 - compression_ratio,
        budget: kept,
        attention,
      });
      const tied = scorer.tied(fixture.params, rows);
      const recorded = entry.kept_per_kv_head ?? [];
      const free = recorded.every((head) => head.every((row) => tied.includes(row)));
      if (kept < tied.length && free && recorded.every((head) => head.length === kept)) {
        waived[`${name}[${index}].kept_per_kv_head`] = "fewer rows than tied ones; all lie there";
      }
      const scores = entry.scores_kv_head
        ? joined(scorer.scores(asked, fixture.params, kept))
        : (entry.scores_kv_head ?? null);
      return {
        compression_ratio,
        scores_kv_head: scores,
        kept_per_kv_head: keptPerHead(asked)[0],
        n_kept: kept,
      };
    });
  }
  return { policies: [...policies], actual, waived };
}

/** Rows per layer, for budgets that do not depend on attention. */
function pyramidBudgets(entry: Entry): Entry & { readonly budgets: number[] } {
  const { compression_ratio, window = 0, beta = 0, q_len: rows = 0, layers = 0 } = entry;
  const nothing = new Float32Array(rows);
  const { plan } = ask({
    policy: "pyramidkv",
    options: { variant: "kvpress", window, beta },
    retention: 1 - compression_ratio,
    attention: {
      layers,
      heads: 1,
      kvHeads: 1,
      rows,
      visual: [],
      textStart: rows - 1,
      attention: (_layer, _head, query) => nothing.subarray(0, query + 1),
    },
  });
  return { ...entry, budgets: plan.layers.map(({ keep }) => keep[0]!.length) };
}

/** SnapKV's scores and two published modifiers of them, at several budgets. */
export function snapKvModifiers(fixture: Fixture): Recomputed {
  const { params, shape, expected } = fixture;
  const attention = attentionOf(fixture);
  const window = windowOf(params);
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  const recorded = (name: string) =>
    (expected[name] ?? []) as readonly (Entry & { readonly budget: number })[];
  const asking = (policy: string, options: OptionValues, budget: number) => {
    const rows = budget + window.window;
    return ask({
      policy,
      options: { ...window, ...options },
      retention: Math.min(1, rows / shape.seq),
      budget: rows * shape.layers,
      attention,
    });
  };
  const before = shape.seq - window.window;
  const bacon = {
    strength: numberParam(params, "lambda_c"),
    local: numberParam(params, "local_kernel"),
    trace: numberParam(params, "trace_layers"),
    best: numberParam(params, "topk_frac"),
  };
  const base = recorded("base").map(({ budget, scores_kv_head }) => {
    const asked = asking("snapkv", {}, budget);
    const scores = () => joined(layers.flatMap((l) => observedScores(asked.input, l, window)));
    const kept_per_kv_head = keptPerHead(asked);
    return { budget, kept_per_kv_head, ...(scores_kv_head && { scores_kv_head: scores() }) };
  });
  const defensive = recorded("defensive").map(({ budget, scores_kv_head }) => {
    const asked = asking("snapkv", { aggregate: "defensive" }, budget);
    const tap = need(asked.input, "window");
    const scores = () =>
      joined(
        layers.flatMap((layer) =>
          headScores(asked.input, tap, layer).map((s) => floorAtMean(s.subarray(0, before))),
        ),
      );
    const kept_per_kv_head = keptPerHead(asked);
    return { budget, kept_per_kv_head, ...(scores_kv_head && { scores_kv_head: scores() }) };
  });
  const calibrated = recorded("bacon").map(({ budget }) => {
    const asked = asking("bacon", bacon, budget);
    const scored = baconScores(asked.input, { ...window, ...bacon }, () => budget);
    return {
      budget,
      lambda_: scored.map((heads) => heads.map(({ lambda }) => lambda)),
      scores_kv_head: joined(scored.flatMap((heads) => heads.map(({ scores }) => scores))),
      kept_per_kv_head: keptPerHead(asked),
    };
  });
  return { policies: ["snapkv", "bacon"], actual: { base, bacon: calibrated, defensive } };
}
