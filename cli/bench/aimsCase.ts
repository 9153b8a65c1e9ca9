import type { Bench, Sizes } from "./bench";
import { checkCase } from "./fixtures";
import { attentionCase } from "./kernelCases";
import { latencyCase } from "./latencyCase";
import {
  type BenchedModel,
  compactionCase,
  decodeCase,
  loadBenched,
  MINI,
  prefillCase,
  tapsCase,
} from "./modelCases";
import { ortCase } from "./ortCase";
import { tuneCase } from "./tuneCase";

type ModelCase = (bench: Bench, model: BenchedModel) => Promise<void>;

/** A model with the sizes that the aims name. */
interface Part extends Pick<Sizes, "rows" | "prefill"> {
  readonly model: string;
  readonly cases: readonly ModelCase[];
}

const LARGE = "Llama-1.1B";
const SMALL = "SmolVLM-256M";

/** What was changed since the last run on a GPU comes first; what takes long is last. */
const PARTS: readonly Part[] = [
  {
    model: LARGE,
    rows: [1000, 8000, 32_000],
    prefill: [1000],
    cases: [decodeCase, prefillCase, compactionCase],
  },
  { model: "LLaVA-1.5-7B:q4", rows: [1000], prefill: [], cases: [decodeCase] },
  { model: SMALL, rows: [1000], prefill: [600, 4000], cases: [decodeCase, tapsCase] },
  {
    model: MINI,
    rows: [600, 8000, 32_000],
    prefill: [600, 4000],
    cases: [decodeCase, prefillCase, compactionCase, tapsCase],
  },
];
const AGAINST_ORT: readonly Part[] = [MINI, SMALL].map((model) => {
  return { model, rows: [600], prefill: [600], cases: [ortCase] };
});
/** On a software adapter. ONNX Runtime's kernels compile for minutes there: `--cases ort`. */
const SOFTWARE: readonly Part[] = [
  {
    model: MINI,
    rows: [600],
    prefill: [600],
    cases: [decodeCase, prefillCase, compactionCase, tapsCase],
  },
];

/** Everything that the aims of `aims.ts` are about; `benchNode` prints their table last. */
export async function aimsCase(bench: Bench): Promise<void> {
  if (bench.adapter.isFallback) {
    await runParts(bench, SOFTWARE);
    return latencyCase(bench);
  }
  await runParts(bench, PARTS);
  const { report } = bench;
  await report.attempt("tune", () => tuneCase(bench));
  await report.attempt("check", () => checkCase(bench));
  await runParts(bench, AGAINST_ORT);
  await report.attempt("latency", () => latencyCase(bench));
  await report.attempt("attention", () => attentionCase(bench));
}

async function runParts(bench: Bench, parts: readonly Part[]): Promise<void> {
  const { report } = bench;
  for (const { model: name, cases, ...sizes } of parts) {
    if (!report.hasTime(`aims of ${name}`)) return;
    const own = { ...bench, sizes: { ...bench.sizes, ...sizes } };
    await report.attempt(name, async () => {
      const model = await loadBenched(own, name);
      try {
        for (const run of cases)
          await report.attempt(`${name}, ${run.name}`, () => run(own, model));
      } finally {
        model.decoder.destroy();
      }
    });
  }
}
