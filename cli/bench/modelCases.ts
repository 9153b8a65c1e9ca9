import { timeCompaction, timeTaps } from "@/bench/cacheCases";
import { loadFixtureDecoder } from "@/bench/fixture";
import { type HostStep, timeHost } from "@/bench/hostTimes";
import { noiseWeights, type ShapeName, shapeConfig } from "@/bench/shapes";
import {
  filledCache,
  type KernelTime,
  type PrefillTimes,
  type StepTimes,
  timePrefills,
  timeSteps,
} from "@/bench/stepCases";
import { selfTest } from "@/gpu/selfTest/selfTest";
import { tune } from "@/gpu/selfTest/tuning";
import type { Variants } from "@/gpu/variants";
import { noticeInEnglish } from "@/language/noticeSentence";
import type { DecoderConfig } from "@/model/checkpoint/config";
import { typesOf } from "@/model/checkpoint/weights";
import type { WeightType } from "@/model/checkpoint/weightTypes";
import { Decoder } from "@/model/decoder/decoder";
import { median } from "@/text/stats";
import { diskSource } from "../shared/disk";
import type { Bench } from "./bench";
import { percent, type Report } from "./report";

export const MINI = "keepsight-mini";
const MINI_SHAPE = { heads: 4, kvHeads: 2, headDim: 64 };
const KEEP = 0.1;
/** Steps that share a submit. */
const HOST_GROUPS = [1, 8];
const HOST_PARTS = ["write", "encode", "submit", "other", "wait"] as const;

/** A decoder that is measured. */
export interface BenchedModel {
  readonly name: string;
  readonly decoder: Decoder;
  /** What the self-test left of the chosen variants. */
  readonly variants: Variants;
}

/** With the variants that a page would take here: keepsight-mini, or a published model's shape with noise as weights. */
export async function loadBenched(bench: Bench, name: string): Promise<BenchedModel> {
  const { gpu, report } = bench;
  const { kvType } = bench;
  const started = report.seconds;
  const [shape, weightType] = name.split(":") as [ShapeName, WeightType | undefined];
  const config = name === MINI ? undefined : shapeConfig(shape);
  const weights = config && (await noiseWeights(gpu, config, weightType));
  const dtypes = weights ? [...new Set(Object.values(typesOf(weights)).flat())] : ["f16" as const];
  const spec = { dtypes, kvType, shape: config ?? MINI_SHAPE } as const;
  const passed = await selfTest(gpu, bench.variants, spec);
  const { variants, notices } = bench.adapter.isFallback ? passed : await tune(gpu, passed, spec);
  report.set(["models", name, "variants"], variants);
  const tested = report.seconds;
  const options = { variants, kvType } as const;
  const decoder = weights
    ? await Decoder.create(gpu, config as DecoderConfig, weights, options)
    : await loadFixtureDecoder(gpu, diskSource(`public/models/${MINI}`), variants, {
        kvType,
        contextLength: 65_536,
      });
  report.line(
    `\n${name}: weights, self-test and tuning ${(tested - started).toFixed(1)} s, ` +
      `decoder ${(report.seconds - tested).toFixed(1)} s, ${Object.values(variants).join(" ")}`,
  );
  for (const notice of notices) report.problem(`${name}: ${noticeInEnglish(notice)}`);
  return { name, decoder, variants };
}

/** Prefills of every size. */
export async function prefillCase(bench: Bench, { name, decoder }: BenchedModel): Promise<void> {
  const { sizes, times, report } = bench;
  for (const rows of sizes.prefill) {
    if (!report.hasTime(`${name}, prefill of ${rows} rows`)) return;
    const measured = await timePrefills(decoder, rows, sizes.repeats, times);
    report.add(["models", name, "prefills"], measured);
    printPrefill(report, measured);
  }
}

/** Decoding steps with caches of every size. */
export async function decodeCase(bench: Bench, { name, decoder }: BenchedModel): Promise<void> {
  const { sizes, times, report } = bench;
  for (const rows of sizes.rows) {
    if (!report.hasTime(`${name}, decoding at ${rows} rows`)) return;
    const cache = await filledCache(decoder, rows);
    const measured = await timeSteps(decoder, cache, sizes.steps, times);
    cache.destroy();
    report.add(["models", name, "steps"], measured);
    printSteps(bench, measured);
  }
}

/** What the CPU does between two tokens. */
export async function hostCase(bench: Bench, { name, decoder }: BenchedModel): Promise<void> {
  const { sizes, report } = bench;
  for (const rows of sizes.rows) {
    if (!report.hasTime(`${name}, host at ${rows} rows`)) return;
    const cache = await filledCache(decoder, rows);
    for (const group of HOST_GROUPS) {
      const count = Math.ceil(sizes.steps / group) * group;
      const measured = await timeHost(decoder, cache, count, group);
      report.add(["models", name, "hosts"], { rows, group, ...measured });
      const { steps, alone, readback } = measured;
      const part = (of: keyof HostStep) =>
        `${of} ${median(steps.map((step) => step[of])).toFixed(3)}`;
      report.line(
        `  ${rows} rows, host, groups of ${group}, ms a step: ${HOST_PARTS.map(part).join(", ")}; ` +
          `alone ${median(alone).toFixed(3)}, of which readback ${median(readback).toFixed(3)}`,
      );
    }
    cache.destroy();
  }
}

/** Compactions of caches of every size, in decoding steps. */
export async function compactionCase(bench: Bench, { name, decoder }: BenchedModel): Promise<void> {
  const { sizes, report } = bench;
  for (const rows of sizes.rows) {
    if (!report.hasTime(`${name}, compaction at ${rows} rows`)) return;
    const measured = await timeCompaction(decoder, { rows, keep: KEEP, repeats: sizes.repeats });
    const ratio = median(measured.compactions) / median(measured.steps);
    report.add(["models", name, "compactions"], { rows, ...measured });
    report.set(["ratios", "compactionSteps", name, `${rows}`], ratio);
    report.line(
      `  ${rows} rows: compaction of all layers to ${percent(KEEP)} takes ` +
        `${median(measured.compactions).toFixed(2)} ms, ${ratio.toFixed(2)} decoding steps; ` +
        `${median(measured.submitted).toFixed(2)} ms until it is submitted`,
    );
  }
}

/** What each tap adds to a prefill. */
export async function tapsCase(bench: Bench, model: BenchedModel): Promise<void> {
  const { sizes, report } = bench;
  const { name, decoder, variants } = model;
  for (const rows of sizes.prefill) {
    if (!report.hasTime(`${name}, taps at ${rows} rows`)) return;
    const measured = await timeTaps(decoder, variants.reduction, { rows, repeats: sizes.repeats });
    report.add(["models", name, "taps"], { rows, ...measured });
    const plain = median(measured.plain);
    const added = Object.entries(measured.tapped).map(
      ([tap, ms]) => `${tap} ${percent(median(ms) / plain - 1)}`,
    );
    report.line(`  taps on a prefill of ${rows} rows add: ${added.join(", ")}`);
  }
}

function printPrefill(report: Report, times: PrefillTimes): void {
  const { rows, wallMs, gpuMs, flops, kernels } = times;
  const ms = gpuMs ?? median(wallMs);
  const gpu = gpuMs === undefined ? "" : `, GPU ${gpuMs.toFixed(2)} ms`;
  report.line(
    `  prefill of ${rows} rows: ${median(wallMs).toFixed(2)} ms${gpu}, ` +
      `${((rows / ms) * 1000).toFixed(0)} rows/s, ${(flops / ms / 1e9).toFixed(2)} TFLOP/s`,
  );
  printKernels(report, kernels, undefined);
}

function printSteps({ copy, report }: Bench, times: StepTimes): void {
  const { rows, wallMs, gpuMs, dispatches, bytes, kernels } = times;
  const ms = gpuMs.length > 0 ? median(gpuMs) : median(wallMs);
  const gpu = gpuMs.length > 0 ? `, GPU ${ms.toFixed(3)} ms, ${dispatches} dispatches` : "";
  const rate = bytes / (ms / 1000);
  report.line(
    `  ${rows} rows: ${median(wallMs).toFixed(3)} ms a token${gpu}, ${(bytes / 1e6).toFixed(1)} MB, ` +
      `${(rate / 1e9).toFixed(1)} GB/s${copy ? ` (${percent(rate / copy)} of copy)` : ""}`,
  );
  printKernels(report, kernels, copy);
}

function printKernels(
  report: Report,
  kernels: readonly KernelTime[],
  copy: number | undefined,
): void {
  for (const { label, count, us, bytes } of kernels) {
    const rate = bytes === undefined ? 0 : bytes / (us / 1e6);
    const share = copy && rate > 0 ? `  ${percent(rate / copy)} of copy` : "";
    report.line(
      `    ${label.padEnd(36)}${String(count).padStart(5)} × ` +
        `${(us / count).toFixed(1).padStart(7)} µs = ${us.toFixed(0).padStart(6)} µs${share}`,
    );
  }
}
