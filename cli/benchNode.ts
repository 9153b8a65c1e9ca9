import os from "node:os";
import { PassTimes } from "@/bench/passTimes";
import { copyRate } from "@/bench/stepCases";
import { requestDevice } from "@/gpu/device";
import { Gpu } from "@/gpu/gpu";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import { chooseVariants } from "@/gpu/variants";
import { tellAims } from "./bench/aimTable";
import { type Bench, sizesOf } from "./bench/bench";
import { CASES, MODEL_CASES, MODELS } from "./bench/cases";
import { loadBenched } from "./bench/modelCases";
import { pack } from "./bench/pack";
import { Report } from "./bench/report";
import { dawnWith } from "./shared/dawn";
import { numberOption, parseCommandLine, typeOptions, usageError } from "./shared/options";

const ALL_CASES = [...Object.keys(CASES), ...Object.keys(MODEL_CASES)];

const USAGE = `npm run bench:node -- [--cases prefill,decode,compaction] [--models keepsight-mini,small]
  [--rows 600,4000] [--prefill 600] [--steps 30] [--repeats 3] [--seconds 3600] [--memory-gb 60]
  [--json FILE]
  [--kv-type f16|f32|q8|q4] [--toggles FEATURE,… (of Dawn)] [--pack DIR]

Cases: ${ALL_CASES.join(", ")}
Models: ${MODELS.join(", ")}
`;

/**
 * `npm run bench:node`: the engine's kernels on WebGPU under Node, without a browser. Times on the GPU
 * come from timestamp queries, where the adapter has them.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const values = parseArguments(argv);
  if (values.pack) return pack(values.pack);
  const seconds = numberOption("seconds", values.seconds, { from: 1, to: 1e6 });
  const cases = names("cases", values.cases, ALL_CASES);
  const models = names("models", values.models, MODELS);
  const sizes = { models, ...sizesOf(values) };
  const report = new Report(values.json, seconds);
  const limit = setTimeout(() => {
    report.problem("The time limit ended the run.");
    tellAims(report, cases.includes("aims"));
    process.exit(0);
  }, seconds * 1000);
  const { kvType = "f16" } = typeOptions(values, USAGE);
  report.set(["kvType"], kvType);
  const bench = await openBench(report, list(values.toggles), kvType, sizes);
  for (const [name, run] of chosen(CASES, cases)) await report.attempt(name, () => run(bench));
  const modelCases = chosen(MODEL_CASES, cases);
  for (const name of modelCases.length > 0 ? models : []) {
    if (!report.hasTime(name)) break;
    await report.attempt(name, () => benchModel(bench, name, modelCases));
  }
  clearTimeout(limit);
  tellAims(report, cases.includes("aims"));
  report.set(["ended"], true);
  report.line(`\nended after ${report.seconds.toFixed(1)} s`);
  bench.times?.destroy();
  bench.gpu.device.destroy();
  return 0;
}

function parseArguments(argv: readonly string[]) {
  return parseCommandLine(
    {
      args: [...argv],
      options: {
        cases: { type: "string", default: "prefill,decode,compaction" },
        models: { type: "string", default: "keepsight-mini,small" },
        rows: { type: "string", default: "600,4000" },
        prefill: { type: "string", default: "600" },
        steps: { type: "string", default: "30" },
        repeats: { type: "string", default: "3" },
        seconds: { type: "string", default: "3600" },
        "memory-gb": { type: "string", default: "60" },
        "kv-type": { type: "string", default: "f16" },
        toggles: { type: "string", default: "" },
        json: { type: "string" },
        pack: { type: "string" },
      },
    },
    USAGE,
  ).values;
}

async function openBench(
  report: Report,
  toggles: readonly string[],
  kvType: KvType,
  sizes: Bench["sizes"],
): Promise<Bench> {
  const { device, adapter } = await requestDevice(dawnWith(toggles), { timestamps: true });
  device.addEventListener("uncapturederror", ({ error }) => report.problem(error.message));
  void device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed") report.problem(`The device was lost: ${message}`);
  });
  const gpu = new Gpu(device);
  const hasSubgroups = gpu.features.subgroups;
  const variants = chooseVariants({ isFallback: adapter.isFallback, hasSubgroups });
  const times = gpu.features.timestamps ? new PassTimes(gpu) : undefined;
  const copy = times && (await copyRate(gpu, times, adapter.isFallback ? 2 ** 24 : 2 ** 28));
  const host = { cpu: os.cpus()[0]?.model, cores: os.cpus().length, node: process.version };
  for (const [name, value] of Object.entries({ adapter, host, variants, copy })) {
    report.set([name], value);
  }
  report.line(`${adapter.vendor} ${adapter.architecture} ${adapter.description}`);
  report.line(`${adapter.features.join(", ")}, on ${host.cores} × ${host.cpu}`);
  const rate = copy === undefined ? "" : `, copy ${(copy / 1e9).toFixed(1)} GB/s`;
  report.line(`${JSON.stringify(variants)}${rate}, ready after ${report.seconds.toFixed(1)} s`);
  return { gpu, adapter, variants, kvType, times, copy, sizes, report };
}

async function benchModel(
  bench: Bench,
  name: string,
  cases: readonly (readonly [string, (typeof MODEL_CASES)[string]])[],
): Promise<void> {
  const { report } = bench;
  const model = await loadBenched(bench, name);
  try {
    for (const [what, run] of cases) {
      await report.attempt(`${name}, ${what}`, () => run(bench, model));
    }
  } finally {
    model.decoder.destroy();
  }
}

/** In the order of the registry. */
function chosen<T>(registry: Readonly<Record<string, T>>, wanted: readonly string[]) {
  return Object.entries(registry).filter(([name]) => wanted.includes(name));
}

function names(option: string, text: string, known: readonly string[]): readonly string[] {
  const wanted = list(text);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return wanted;
  throw usageError(`--${option}: no ${unknown} among ${known.join(", ")}`, USAGE);
}

function list(text: string): readonly string[] {
  return text.split(",").filter(Boolean);
}
