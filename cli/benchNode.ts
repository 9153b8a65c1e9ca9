import fs from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { timeCompaction, timeTaps } from "@/bench/cacheCases";
import { loadFixtureDecoder } from "@/bench/fixture";
import { type HostStep, type HostTimes, timeHost } from "@/bench/hostTimes";
import { PassTimes } from "@/bench/passTimes";
import { noiseModel, SHAPE_NAMES, type ShapeName } from "@/bench/shapes";
import {
  copyRate,
  filledCache,
  type PrefillTimes,
  type StepTimes,
  timePrefills,
  timeSteps,
} from "@/bench/stepCases";
import { requestDevice } from "@/gpu/device";
import { Gpu } from "@/gpu/gpu";
import { type SelfTestResult, selfTest } from "@/gpu/selfTest/selfTest";
import { chooseVariants, type Variants } from "@/gpu/variants";
import { loadWeights } from "@/model/checkpoint/weights";
import { Decoder } from "@/model/decoder/decoder";
import { median } from "@/text/stats";
import { checkFixtures } from "./benchFixtures";
import { pack } from "./benchPack";
import { dawn } from "./dawn";
import { diskSource } from "./disk";
import { usageError } from "./options";

const USAGE = `npm run bench:node -- [--models keepsight-mini,SmolVLM-256M,…] [--rows 1000,8000]
  [--prefill 600] [--steps 30] [--repeats 3] [--taps yes] [--check yes] [--host yes] [--json FILE] [--pack DIR]`;
const MINI = "keepsight-mini";
const MODELS = [MINI, ...SHAPE_NAMES];

interface Bench {
  readonly gpu: Gpu;
  readonly variants: Variants;
  readonly times: PassTimes | undefined;
  /** Bytes a second. */
  readonly copy: number | undefined;
}

interface Sizes {
  readonly rows: readonly number[];
  readonly prefill: readonly number[];
  readonly steps: number;
  readonly repeats: number;
  readonly taps: boolean;
  readonly host: boolean;
}

/**
 * `npm run bench:node`: the decoder's kernels on WebGPU under Node, without a browser. Times on the GPU
 * come from timestamp queries, where the adapter has them.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      models: { type: "string", default: `${MINI},small` },
      rows: { type: "string", default: "600,4000" },
      prefill: { type: "string", default: "600" },
      steps: { type: "string", default: "30" },
      repeats: { type: "string", default: "3" },
      taps: { type: "string", default: "no" },
      check: { type: "string", default: "no" },
      host: { type: "string", default: "no" },
      json: { type: "string" },
      pack: { type: "string" },
    },
  });
  if (values.pack) return pack(values.pack);
  const { device, adapter } = await requestDevice(dawn, { timestamps: true });
  const gpu = new Gpu(device);
  const hasSubgroups = gpu.features.subgroups;
  const variants = chooseVariants({ isFallback: adapter.isFallback, hasSubgroups });
  const times = gpu.features.timestamps ? new PassTimes(gpu) : undefined;
  const copy = times && (await copyRate(gpu, times));
  line(`${adapter.vendor} ${adapter.architecture} ${adapter.description}`);
  line(`${JSON.stringify(variants)}${copy ? `, copy ${(copy / 1e9).toFixed(1)} GB/s` : ""}`);
  const sizes = {
    rows: numbers(values.rows),
    prefill: numbers(values.prefill),
    steps: Number(values.steps),
    repeats: Number(values.repeats),
    taps: values.taps === "yes",
    host: values.host === "yes",
  };
  const bench = { gpu, variants, times, copy };
  const checks = values.check === "yes" ? await checkFixtures(gpu, variants) : undefined;
  const models: Record<string, object> = {};
  for (const name of values.models.split(",")) {
    if (!MODELS.includes(name)) throw usageError(`No model ${name}: ${MODELS.join(", ")}`, USAGE);
    models[name] = await benchModel(bench, name, sizes);
  }
  if (values.json) {
    const host = { cpu: os.cpus()[0]?.model, cores: os.cpus().length, node: process.version };
    const document = {
      date: new Date().toISOString(),
      adapter,
      host,
      variants,
      copy,
      checks,
      models,
    };
    fs.writeFileSync(values.json, `${JSON.stringify(document, null, 1)}\n`);
  }
  times?.destroy();
  device.destroy();
  return 0;
}

async function benchModel(bench: Bench, name: string, sizes: Sizes): Promise<object> {
  const { decoder, tested } = await load(bench, name);
  line(`\n${name}${tested.notices.map((notice) => `\n  ${notice}`).join("")}`);
  const prefills: PrefillTimes[] = [];
  for (const rows of sizes.prefill) {
    const times = await timePrefills(decoder, rows, sizes.repeats, bench.times);
    prefills.push(times);
    printPrefill(times);
  }
  const steps: StepTimes[] = [];
  const hosts: object[] = [];
  const compactions: object[] = [];
  for (const rows of sizes.rows) {
    const cache = filledCache(decoder, rows);
    const times = await timeSteps(decoder, cache, sizes.steps, bench.times);
    steps.push(times);
    printSteps(bench, times);
    if (sizes.host) {
      const host = await timeHost(decoder, cache, sizes.steps);
      hosts.push({ rows, ...host });
      printHost(host);
    }
    cache.destroy();
    const compaction = await timeCompaction(decoder, { rows, keep: 0.1, repeats: sizes.repeats });
    compactions.push({ rows, ...compaction });
    const ratio = median(compaction.compactions) / median(compaction.steps);
    line(`  compaction of all layers to 10 %: ${ratio.toFixed(2)} steps`);
  }
  const taps = [];
  for (const rows of sizes.taps ? sizes.prefill : []) {
    const times = await timeTaps(decoder, tested.variants.reduction, {
      rows,
      repeats: sizes.repeats,
    });
    taps.push({ rows, ...times });
    for (const [tap, ms] of Object.entries(times.tapped)) {
      line(`  ${tap} at ${rows} rows: ${percent(median(ms) / median(times.plain) - 1)}`);
    }
  }
  decoder.destroy();
  return { prefills, steps, hosts, compactions, taps };
}

async function load(
  { gpu, variants }: Bench,
  name: string,
): Promise<{ readonly decoder: Decoder; readonly tested: SelfTestResult }> {
  const kvType = "f16";
  if (name === MINI) {
    const source = diskSource(`public/models/${MINI}`);
    const shape = { heads: 4, kvHeads: 2, headDim: 64 };
    const tested = await selfTest(gpu, variants, { dtype: "f16", kvType, shape });
    const options = { kvType, contextLength: 65_536 } as const;
    return { tested, decoder: await loadFixtureDecoder(gpu, source, tested.variants, options) };
  }
  const { config, source } = noiseModel(name as ShapeName);
  const tested = await selfTest(gpu, variants, { dtype: "f16", kvType, shape: config });
  const weights = await loadWeights(gpu, config, source);
  const options = { variants: tested.variants, kvType } as const;
  return { tested, decoder: await Decoder.create(gpu, config, weights, options) };
}

function printPrefill({ rows, wallMs, gpuMs, flops, kernels }: PrefillTimes): void {
  const ms = gpuMs ?? median(wallMs);
  const gpu = gpuMs === undefined ? "" : `, GPU ${gpuMs.toFixed(2)} ms`;
  line(
    `  prefill of ${rows} rows: ${median(wallMs).toFixed(2)} ms${gpu}, ` +
      `${((rows / ms) * 1000).toFixed(0)} rows/s, ${(flops / ms / 1e9).toFixed(2)} TFLOP/s`,
  );
  printKernels(kernels, undefined);
}

function printSteps({ copy }: Bench, times: StepTimes): void {
  const { rows, wallMs, gpuMs, dispatches, bytes, kernels } = times;
  const ms = gpuMs.length > 0 ? median(gpuMs) : median(wallMs);
  const gpu = gpuMs.length > 0 ? `, GPU ${ms.toFixed(3)} ms, ${dispatches} dispatches` : "";
  const rate = bytes / (ms / 1000);
  line(
    `  ${rows} rows: ${median(wallMs).toFixed(3)} ms a token${gpu}, ${(bytes / 1e6).toFixed(1)} MB, ` +
      `${(rate / 1e9).toFixed(1)} GB/s${copy ? ` (${percent(rate / copy)} of copy)` : ""}`,
  );
  printKernels(kernels, copy);
}

function printHost({ steps, alone, readback }: HostTimes): void {
  const parts = ["write", "encode", "submit", "other", "wait"] as const;
  const part = (name: keyof HostStep) => `${name} ${median(steps.map((s) => s[name])).toFixed(3)}`;
  line(
    `    host, ms a step: ${parts.map(part).join(", ")}; alone ${median(alone).toFixed(3)}, ` +
      `of which readback ${median(readback).toFixed(3)}`,
  );
}

function printKernels(kernels: StepTimes["kernels"], copy: number | undefined): void {
  for (const { label, count, us, bytes } of kernels) {
    const rate = bytes === undefined ? 0 : bytes / (us / 1e6);
    const share = copy && rate > 0 ? `  ${percent(rate / copy)} of copy` : "";
    line(
      `    ${label.padEnd(36)}${String(count).padStart(5)} × ` +
        `${(us / count).toFixed(1).padStart(7)} µs = ${us.toFixed(0).padStart(6)} µs${share}`,
    );
  }
}

function numbers(text: string): number[] {
  return text.split(",").filter(Boolean).map(Number);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}
