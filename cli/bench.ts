import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { ModelInfo } from "@/protocol/model";
import type { CacheSettings } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { median } from "@/text/stats";
import { benchCompare, printCompare } from "./bench/compare";
import { benchPage, printPage } from "./bench/page";
import { benchWaits, type UserWaits } from "./bench/waits";
import { findBrowser, vulkanEnvironment } from "./browser";
import { openEngine } from "./engine";
import { numberOption, typeOptions } from "./options";

/** One lane of the report: a policy at a retention, over all repeats. */
interface LaneReport {
  readonly policy: string;
  readonly retention: number;
  readonly kvMb: { readonly before: number; readonly after: number; readonly peak: number };
  readonly ms: Record<"prefill" | "score" | "compact" | "firstToken" | "decode", Spread>;
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

const LANES: readonly (readonly [policy: string, retention: number])[] = [
  ["full", 1],
  ["aircache", 0.1],
  ["prefixkv", 0.1],
  ["elastic", 0.1],
  ["snapkv", 0.1],
  ["streaming", 0.1],
];

const USAGE = `npm run bench -- [--model DIR] [--image FILE] [--prompt TEXT] [--repeats 3] [--node yes|no]
  [--weight-type f16|q8|q4] [--kv-type f32|f16|q8|q4] [--json FILE]`;
const VISITS = 5;

/** Rounds of the comparison of one lane with three; each has two prefills. */
const MOST_COMPARISONS = 3;

/**
 * `npm run bench`: times of the whole engine on this machine's adapter. One warm-up, then `repeats`
 * rounds in which every lane runs once, so that drift affects all lanes equally. A benchmark, not a
 * test.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      model: { type: "string", default: "public/models/keepsight-mini" },
      image: { type: "string", default: "fixtures/images/receipt.png" },
      prompt: { type: "string", default: "Read all the text." },
      repeats: { type: "string", default: "3" },
      "weight-type": { type: "string" },
      "kv-type": { type: "string" },
      node: { type: "string", default: "yes" },
      json: { type: "string" },
    },
  });
  const types = typeOptions(values, USAGE);
  const repeats = numberOption("repeats", values.repeats, 1, 1000, { integer: true });
  const page = await openEngine(path.resolve(values.model), { image: path.resolve(values.image) });
  try {
    const model = await page.load(types);
    const question = {
      turns: [{ images: ["image"], question: values.prompt }],
      sampling: { maxNewTokens: 48, temperature: 0, topK: 0, topP: 1, seed: 0 },
    };
    const ask = ([policy, retention]: readonly [string, number]) =>
      page.ask({
        ...question,
        settings: { policy, retention, scope: "visual", options: {} } satisfies CacheSettings,
        fresh: true,
      });
    const cold = await ask(LANES[0] ?? ["full", 1]);
    const runs = LANES.map((): TurnResult[] => []);
    for (let round = 0; round < repeats; round++) {
      for (const [index, lane] of LANES.entries()) runs[index]?.push(await ask(lane));
    }
    const lanes = LANES.map(([policy, retention], index) =>
      report(policy, retention, runs[index] ?? []),
    );
    const compare = await benchCompare(page, question, Math.min(repeats, MOST_COMPARISONS));
    await page.close();
    const pages = await benchPage();
    const waits = await benchWaits(Math.max(VISITS, repeats));
    const node =
      values.node === "yes" ? await benchUnderNode(repeats, values.json === "-") : undefined;
    const document = {
      date: new Date().toISOString(),
      adapter: model.adapter,
      model: { id: model.id, elementType: model.elementType, kvType: model.kvType },
      versions: model.versions,
      repeats,
      readyMs: model.loadMs,
      coldFirstTokenMs: cold.ms.firstToken,
      promptTokens: cold.promptTokens,
      lanes,
      compare,
      pages,
      waits,
      node,
      ratios: node?.ratios,
    };
    if (values.json !== "-") {
      print(model, document.readyMs, cold, lanes, repeats);
      printCompare(compare);
      for (const report of pages) printPage(report);
      printWaits(waits);
    }
    const json = `${JSON.stringify(document, null, 2)}\n`;
    if (values.json === "-") process.stdout.write(json);
    else if (values.json) fs.writeFileSync(values.json, json);
    return 0;
  } finally {
    await page.close();
  }
}

function report(policy: string, retention: number, runs: readonly TurnResult[]): LaneReport {
  const mb = (bytes: number) => bytes / 1e6;
  const last = runs.at(-1);
  if (!last) throw new Error(`${policy}: no run`);
  const spread = (read: (run: TurnResult) => number): Spread => {
    const times = runs.map(read);
    return { median: median(times), min: Math.min(...times), max: Math.max(...times) };
  };
  return {
    policy,
    retention,
    kvMb: {
      before: mb(last.kvBytes.before),
      after: mb(last.kvBytes.after),
      peak: mb(last.kvBytes.peak),
    },
    ms: {
      prefill: spread(({ ms }) => ms.prefill),
      score: spread(({ ms }) => ms.score),
      compact: spread(({ ms }) => ms.compact),
      firstToken: spread(({ ms }) => ms.firstToken),
      decode: spread(({ ms }) => ms.decodePerToken.median),
    },
  };
}

function print(
  { id, adapter, kvType }: ModelInfo,
  readyMs: number,
  cold: TurnResult,
  lanes: readonly LaneReport[],
  repeats: number,
): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  const software = adapter.isFallback ? " (software: for correctness, not for speed)" : "";
  line(`${id}, ${kvType} cache, ${cold.promptTokens} prompt rows, ${repeats} repeats`);
  line(`${adapter.vendor} ${adapter.architecture}${software}, lanes: ${adapter.lanes}`);
  line(
    `ready ${readyMs.toFixed(0)} ms, first answer's first token ${cold.ms.firstToken.toFixed(0)} ms`,
  );
  line("");
  line(
    "policy          keep   prefill   score  compact   first  decode/token     KV MB     vs full",
  );
  const full = lanes[0]?.ms.decode.median ?? Number.NaN;
  for (const { policy, retention, ms, kvMb } of lanes) {
    const cells = [
      policy.padEnd(14),
      `${(retention * 100).toFixed(0)} %`.padStart(6),
      ...[ms.prefill, ms.score, ms.compact, ms.firstToken].map(({ median: m }) =>
        m.toFixed(0).padStart(8),
      ),
      `${ms.decode.median.toFixed(1)} (${ms.decode.min.toFixed(1)}–${ms.decode.max.toFixed(1)})`.padStart(
        18,
      ),
      kvMb.after.toFixed(2).padStart(8),
      (ms.decode.median / full).toFixed(2).padStart(8),
    ];
    line(cells.join(" "));
  }
}

function printWaits({ ready, firstToken }: UserWaits): void {
  const spread = (ms: readonly number[]) =>
    [median(ms), Math.min(...ms), Math.max(...ms)].map((each) => (each / 1000).toFixed(1));
  const [open, question] = [ready, firstToken].map((ms) => {
    const [middle, low, high] = spread(ms);
    return `${middle} s (${low}–${high})`;
  });
  process.stdout.write(
    `\n${ready.length} visits: page opened → model ready ${open} (at most 5), ` +
      `question sent → first token ${question} (at most 6)\n`,
  );
}

/**
 * Compaction, taps and ONNX Runtime's lane, on WebGPU under Node; its report. A separate process, because the
 * driver's library path must be set before it starts.
 */
async function benchUnderNode(repeats: number, isSilent: boolean): Promise<{ ratios?: object }> {
  const env = { ...process.env, ...vulkanEnvironment(await findBrowser()) };
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "bench-")), "node.json");
  const sizes = ["--rows", "600,8000", "--prefill", "600", "--repeats", `${repeats}`];
  const args = ["--models", "keepsight-mini", "--cases", "compaction,taps,ort", ...sizes];
  const stdio = isSilent ? "ignore" : "inherit";
  spawnSync(process.execPath, ["cli/run.mjs", "benchNode", ...args, "--json", file], {
    stdio,
    env,
  });
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
}
