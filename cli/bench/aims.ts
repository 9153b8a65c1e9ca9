import type { CompactionTimes, TapTimes } from "@/bench/cacheCases";
import type { KernelTime, PrefillTimes, StepTimes } from "@/bench/stepCases";
import type { AdapterFacts } from "@/gpu/device";
import type { Variants } from "@/gpu/variants";
import { median } from "@/text/stats";
import type { LatencyCell } from "./latencyCase";
import { percent } from "./report";
import type { UserWaits } from "./waits";

/** The part of a bench's report that the aims are about. Everything may be missing. */
export interface Figures {
  readonly adapter?: Pick<AdapterFacts, "isFallback">;
  /** Bytes a second. */
  readonly copy?: number;
  readonly models?: Readonly<Record<string, ModelFigures>>;
  readonly ratios?: Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>
  >;
  readonly latency?: Readonly<Record<string, readonly LatencyCell[]>>;
  readonly checks?: readonly CheckFigures[];
  readonly waits?: UserWaits;
}

interface ModelFigures {
  readonly steps?: readonly StepTimes[];
  readonly prefills?: readonly Omit<PrefillTimes, "kernels">[];
  readonly compactions?: readonly ({ readonly rows: number } & Omit<
    CompactionTimes,
    "submitted"
  >)[];
  readonly taps?: readonly ({ readonly rows: number } & TapTimes)[];
}

interface CheckFigures {
  readonly variants: Partial<Variants>;
  readonly prefillError: number;
  readonly decodeError: number;
  readonly wrong: readonly string[];
}

/** One aim of the documents, and what was measured of it. */
export interface Aim {
  readonly what: string;
  readonly aim: string;
  /** Absent: not measured. */
  readonly measured?: string;
  readonly isMet?: boolean;
}

/** Microseconds of a dispatch that waits for the one before, on the GPUs that the aims are about. */
const DISPATCH_US = 1.9;
/** Bytes of a layer's keys and values from which attention is limited by bandwidth. */
const LARGE_LAYER = 16e6;
const PAPER = "−29 to −66 %";
const [SMALL, LARGE, MINI, LARGEST] = [
  "SmolVLM-256M",
  "Llama-1.1B",
  "keepsight-mini",
  "LLaVA-1.5-7B:q4",
] as const;

/** Every aim with what was measured; those in units of time or bandwidth only for a GPU. */
export function aimsOf(figures: Figures): readonly Aim[] {
  const onGpu = figures.adapter?.isFallback
    ? []
    : [...decodingAims(figures), ...prefillAims(figures)];
  return [
    ...onGpu,
    ...compactionAims(figures),
    ...tapAims(figures),
    ...latencyAims(figures),
    ...ortAims(figures),
    logitsAim(figures),
    ...waitAims(figures),
  ];
}

type Show = (value: number) => string;
const times: Show = (value) => `${value.toFixed(2)} ×`;
const micro: Show = (value) => `${value.toFixed(1)} µs`;
const tera: Show = (value) => `${value.toFixed(1)} TFLOP/s`;
const seconds: Show = (ms) => `${(ms / 1000).toFixed(1)} s`;
const steps: Show = (value) => `${value.toFixed(1)} steps`;

const boundedBy =
  (sign: "≥" | "≤") =>
  (what: string, bound: number, value: number | undefined, show: Show, more = ""): Aim => {
    const aim = { what, aim: `${sign} ${show(bound)}` };
    if (value === undefined || Number.isNaN(value)) return aim;
    const isMet = sign === "≥" ? value >= bound : value <= bound;
    return { ...aim, measured: show(value) + more, isMet };
  };
const atLeast = boundedBy("≥");
const atMost = boundedBy("≤");

function stepAt({ models }: Figures, model: string, rows: number): StepTimes | undefined {
  return models?.[model]?.steps?.find((step) => step.rows === rows);
}

/** Of a step: on the GPU where it was measured there. */
function msOf({ gpuMs, wallMs }: StepTimes): number {
  return median(gpuMs.length > 0 ? gpuMs : wallMs);
}

function decodingAims(figures: Figures): readonly Aim[] {
  const { copy } = figures;
  const of = (model: string, rows: number, value: (step: StepTimes, bytesMs: number) => number) => {
    const step = stepAt(figures, model, rows);
    return step && copy ? value(step, (step.bytes / copy) * 1000) : undefined;
  };
  const share = (step: StepTimes, bytesMs: number) => bytesMs / msOf(step);
  const dispatchMs = ({ dispatches }: StepTimes) => (dispatches * DISPATCH_US) / 1000;
  return [
    atLeast(`${LARGE}, a token at 1 000 rows, of copy`, 0.6, of(LARGE, 1000, share), percent),
    atLeast(`${LARGE}, a token at 32 000 rows, of copy`, 0.5, of(LARGE, 32_000, share), percent),
    atMost(
      `${LARGEST}, a token at 1 000 rows, to its limit`,
      1 / 0.6,
      of(LARGEST, 1000, (step, bytesMs) => msOf(step) / Math.max(bytesMs, dispatchMs(step))),
      times,
    ),
    atMost(
      `${SMALL}, a token at 1 000 rows, to its limit`,
      1.5,
      of(SMALL, 1000, (step, bytesMs) => msOf(step) / (bytesMs + dispatchMs(step))),
      times,
    ),
    atMost(`${LARGE}, attention of a layer at 1 000 rows`, 8, of(LARGE, 1000, attentionUs), micro),
    atLeast("attention of layers above 16 MB, of copy", 0.5, largeAttention(figures), percent),
    atMost(`${SMALL}, greedy sampling of 49 280`, 10, of(SMALL, 1000, samplingUs), micro),
  ];
}

/**
 * Microseconds of the kernels with a label. Every dispatch was timed in a pass of its own, which takes longer: by how
 * much follows from the time of all of them in one pass.
 */
function kernelUs(step: StepTimes, isWanted: (label: string) => boolean): number {
  const sum = (kernels: readonly KernelTime[], of: "us" | "count") =>
    kernels.reduce((total, kernel) => total + kernel[of], 0);
  const { kernels } = step;
  const extra = Math.max(0, sum(kernels, "us") - msOf(step) * 1000) / sum(kernels, "count");
  const wanted = kernels.filter(({ label }) => isWanted(label));
  return sum(wanted, "us") - extra * sum(wanted, "count");
}

const isAttention = (label: string) => label.startsWith("attend_");
/** The kernel that reads keys and values, once a layer. */
const readsCache = ({ label, bytes }: KernelTime) => isAttention(label) && bytes !== undefined;

function attentionUs(step: StepTimes): number {
  return kernelUs(step, isAttention) / (step.kernels.find(readsCache)?.count ?? Number.NaN);
}

function samplingUs(step: StepTimes): number {
  return kernelUs(step, (label) => label.startsWith("sample_"));
}

/** The least share of the copy rate that attention of large layers reaches. */
function largeAttention({ models = {}, copy }: Figures): number | undefined {
  const shares = Object.values(models).flatMap(({ steps: all = [] }) =>
    all.flatMap((step) => {
      const reader = step.kernels.find(readsCache);
      if (!reader?.bytes || !copy || reader.bytes / reader.count < LARGE_LAYER) return [];
      return [reader.bytes / copy / (kernelUs(step, isAttention) / 1e6)];
    }),
  );
  return shares.length > 0 ? Math.min(...shares) : undefined;
}

function prefillAims({ models }: Figures): readonly Aim[] {
  const rate = (model: string, rows: number) => {
    const found = models?.[model]?.prefills?.find((prefill) => prefill.rows === rows);
    return found && found.flops / (found.gpuMs ?? median(found.wallMs)) / 1e9;
  };
  return [
    atLeast(`${LARGE}, prefill of 1 000 rows`, 20, rate(LARGE, 1000), tera),
    atLeast(`${MINI}, prefill of 600 rows`, 5, rate(MINI, 600), tera),
  ];
}

/** The largest of some values, and where it is. */
function worst<T extends { readonly rows: number }>(
  all: readonly T[] = [],
  value: (of: T) => number,
) {
  const [first] = all.toSorted((a, b) => value(b) - value(a));
  return first && ([value(first), ` at ${first.rows} rows`] as const);
}

function compactionAims({ models }: Figures): readonly Aim[] {
  return [MINI, LARGE].map((model) => {
    const [value, where] =
      worst(
        models?.[model]?.compactions,
        (each) => median(each.compactions) / median(each.steps),
      ) ?? [];
    return atMost(`${model}, compaction, 600 to 32 000 rows`, 2, value, steps, where);
  });
}

function tapAims({ models }: Figures): readonly Aim[] {
  const bounds = { "window of 32": 0.15, elite: 0.15, "column sums": 0.25 } as const;
  return [MINI, SMALL].flatMap((model) =>
    Object.entries(bounds).map(([tap, bound]) => {
      const [value, where] =
        worst(
          models?.[model]?.taps,
          ({ plain, tapped }) => median(tapped[tap] ?? []) / median(plain) - 1,
        ) ?? [];
      return atMost(`${model}, cost of ${tap} in a prefill`, bound, value, percent, where);
    }),
  );
}

/** One line per size that was measured, and one for the sizes that were not. */
function latencyAims({ latency = {} }: Figures): readonly Aim[] {
  const lines = Object.entries(latency).flatMap(([model, cells]) =>
    cells.map(({ rows, batch, predicted, gpu, wall }) => {
      const saved = Number.isNaN(gpu.saved) ? wall.saved : gpu.saved;
      const more = `: −${percent(saved)} of −${percent(predicted)} predicted; paper ${PAPER}`;
      const what = `${model}, batch ${batch}, ${rows} rows: saving at 10 %`;
      return atLeast(what, 0.8, saved / predicted, percent, more);
    }),
  );
  if (lines.length > 0) return lines;
  return [{ what: "saving at 10 % of the rows, of what bytes predict", aim: "≥ 80.0 %" }];
}

function ortAims({ ratios = {} }: Figures): readonly Aim[] {
  const least = (name: string) => {
    const found = Object.entries(ratios[name] ?? {}).flatMap(([model, byRows]) =>
      Object.entries(byRows).map(([rows, ratio]) => ({
        ratio,
        where: ` (${model}, ${rows} rows)`,
      })),
    );
    return found.toSorted((a, b) => a.ratio - b.ratio)[0];
  };
  const decode = least("decodeVsOrtGpu") ?? least("decodeVsOrt");
  const prefill = least("prefillVsOrt");
  return [
    atLeast("ONNX Runtime's time for a token to ours", 2, decode?.ratio, times, decode?.where),
    atLeast("its time for a prefill to ours", 1, prefill?.ratio, times, prefill?.where),
  ];
}

/** Of a person, on a software adapter; `npm run bench` measures them. */
function waitAims({ waits }: Figures): readonly Aim[] {
  return [
    atMost("page opened, model ready (npm run bench)", 5000, waits && median(waits.ready), seconds),
    atMost("question sent, first token", 6000, waits && median(waits.firstToken), seconds),
  ];
}

function logitsAim({ checks = [] }: Figures): Aim {
  const exact = checks.filter(({ variants }) => variants.matmul !== "tiledF16");
  const errors = exact.flatMap(({ prefillError, decodeError }) => [prefillError, decodeError]);
  const wrong = checks.flatMap((check) => check.wrong);
  const what = "PyTorch's logits, all variants";
  const largest = errors.length > 0 ? Math.max(...errors) : undefined;
  const more = `, ${wrong.length} other answers`;
  const aim = atMost(what, 2e-3, largest, (value) => value.toExponential(1), more);
  return wrong.length > 0 ? { ...aim, isMet: false } : aim;
}
