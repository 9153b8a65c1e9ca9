import { timeAttention } from "@/bench/kernels/attentionTrials";
import { timeDispatches } from "@/bench/kernels/dispatchTrials";
import { timeGemv } from "@/bench/kernels/gemvTrials";
import { timeMatmul } from "@/bench/kernels/matmulTrials";
import type { Trial } from "@/bench/kernels/trial";
import type { Bench } from "./bench";

/** Fastest variants printed for each piece of work; the report has all. */
const SHOWN = 6;

const SMALL_PRODUCTS = (["f16", "q8g64", "q4g32"] as const).map((dtype) => {
  return { name: `small ${dtype}`, dtype, rows: 96, columns: 64, norm: true };
});

/*
 * Single kernels in many variants, each alone: what limits a kernel, and which variant suits the adapter. Small sizes on
 * a software adapter.
 */

/** What a dispatch costs by itself. */
export async function dispatchCase(bench: Bench): Promise<void> {
  const count = bench.adapter.isFallback ? 8 : undefined;
  report(bench, "dispatch", await timeDispatches(bench, count));
}

/** A row by a matrix, as a decoding step multiplies. */
export async function gemvCase(bench: Bench): Promise<void> {
  const { reduction } = bench.variants;
  const trials = bench.adapter.isFallback
    ? timeGemv(bench, reduction, SMALL_PRODUCTS, 2 ** 16)
    : timeGemv(bench, reduction);
  report(bench, "gemv", await trials);
}

/** Attention of a decoding step. */
export async function attentionCase(bench: Bench): Promise<void> {
  const small = { shapes: [["small", 2, 1, 16]], rowCounts: [70] } as const;
  const sizes = bench.adapter.isFallback ? small : {};
  report(bench, "attention", await timeAttention(bench, { ...bench.variants, ...sizes }));
}

/** Many rows by a matrix, as a prefill multiplies. */
export async function matmulCase(bench: Bench): Promise<void> {
  const trials = bench.adapter.isFallback
    ? timeMatmul(bench, [["small", 128, 64]], [32])
    : timeMatmul(bench);
  report(bench, "matmul", await trials);
}

function report(bench: Bench, name: string, trials: readonly Trial[]): void {
  bench.report.set(["trials", name], trials);
  for (const work of new Set(trials.map((trial) => trial.work))) {
    const found = trials.filter((trial) => trial.work === work);
    print(bench, work, found);
  }
  bench.report.line(`${name}: until ${bench.report.seconds.toFixed(1)} s`);
}

function print({ copy, report }: Bench, work: string, trials: readonly Trial[]): void {
  report.line(`${work}: ${trials.length} variants`);
  const order = trials.toSorted((a, b) => a.us - b.us);
  const shown = work === "dispatch" ? trials : order.slice(0, SHOWN);
  const ours = order.filter(({ variant }) => variant.startsWith("ours"));
  for (const { variant, us, bytes, flops } of new Set([...shown, ...ours])) {
    const rate = bytes === undefined ? 0 : bytes / (us / 1e6);
    const share = copy && rate > 0 ? ` (${((rate / copy) * 100).toFixed(0)} % of copy)` : "";
    const gb = rate > 0 ? `, ${(rate / 1e9).toFixed(0)} GB/s${share}` : "";
    const tera = flops === undefined ? "" : `, ${(flops / us / 1e6).toFixed(2)} TFLOP/s`;
    report.line(`  ${us.toFixed(2).padStart(9)} µs  ${variant}${gb}${tera}`);
  }
}
