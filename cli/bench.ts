import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { greedy } from "@/protocol/defaults";
import { tellAims } from "./bench/aimTable";
import { benchCompare, printCompare } from "./bench/compare";
import { benchLanes, printLanes } from "./bench/lanes";
import { benchPage, printPage } from "./bench/page";
import { Report } from "./bench/report";
import { benchWaits, printWaits } from "./bench/waits";
import { findBrowser, vulkanEnvironment } from "./shared/browser";
import { openEngine } from "./shared/engine";
import { numberOption, parseCommandLine, typeOptions } from "./shared/options";
import { buildIfStale } from "./shared/site";

const USAGE = `npm run bench -- [--model DIR] [--image FILE] [--prompt TEXT] [--repeats 3] [--seconds 180] [--node]
  [--weight-type f32|f16|q8|q4] [--kv-type f32|f16|q8|q4] [--json FILE]`;
const VISITS = 5;
/** Rounds of the comparison of one lane with three; each has two prefills. */
const MOST_COMPARISONS = 3;
/** Shares of the time that are left for what follows lanes, and what follows the comparison. */
const AFTER_LANES = 0.6;
const AFTER_COMPARISON = 0.4;

type Values = ReturnType<typeof parseArguments>;

/**
 * `npm run bench`: times of the whole engine and of the page on this machine's adapter. It repeats less, and leaves out
 * what comes last, where the time limit asks for it. A benchmark, not a test.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const values = parseArguments(argv);
  const seconds = numberOption("seconds", values.seconds, { from: 1, to: 1e6 });
  const repeats = numberOption("repeats", values.repeats, { from: 1, to: 1000, isWhole: true });
  buildIfStale();
  const report = new Report(values.json, seconds);
  report.set(["repeats"], repeats);
  await benchEngine(values, report, repeats, seconds);
  if (report.hasTime("the page", seconds / 4)) {
    const pages = await benchPage();
    report.set(["pages"], pages);
    for (const page of pages) printPage(page, report);
  }
  if (report.hasTime("visits", 1)) {
    const waits = await benchWaits(VISITS, (visit) => report.hasTime(`visit ${visit + 1}`));
    report.set(["waits"], waits);
    printWaits(waits, report);
  }
  if (values.node) {
    const node = await benchUnderNode(repeats, Math.max(1, report.left));
    report.set(["node"], node);
    report.set(["ratios"], node.ratios);
  }
  tellAims(report, false);
  report.line(`\nended after ${report.seconds.toFixed(0)} s of ${seconds}`);
  return 0;
}

function parseArguments(argv: readonly string[]) {
  const options = {
    model: { type: "string", default: "public/models/keepsight-mini" },
    image: { type: "string", default: "fixtures/images/receipt.png" },
    prompt: { type: "string", default: "Read all the text." },
    repeats: { type: "string", default: "3" },
    seconds: { type: "string", default: "180" },
    "weight-type": { type: "string" },
    "kv-type": { type: "string" },
    node: { type: "boolean", default: false },
    json: { type: "string" },
  } as const;
  return parseCommandLine({ args: [...argv], options }, USAGE).values;
}

/** Lanes one by one, and several at once. */
async function benchEngine(
  values: Values,
  report: Report,
  repeats: number,
  seconds: number,
): Promise<void> {
  const types = typeOptions(values, USAGE);
  const page = await openEngine(path.resolve(values.model), { image: path.resolve(values.image) });
  try {
    const model = await page.load(types);
    const { id, adapter, elementType, kvType, versions, loadMs } = model;
    report.set(["model"], { id, adapter, elementType, kvType, versions, readyMs: loadMs });
    report.line(`model ready after ${report.seconds.toFixed(0)} s`);
    const question = {
      turns: [{ images: ["image"], question: values.prompt }],
      sampling: greedy(48),
    };
    const has = (what: string, after: number) => (round: number) =>
      report.hasTime(`${what}, round ${round + 1}`, after * seconds);
    const lanes = await benchLanes(page, question, repeats, has("lanes", AFTER_LANES));
    report.set(["lanes"], lanes);
    printLanes(model, lanes, (text) => report.line(text));
    const compare = await benchCompare(
      page,
      question,
      Math.min(repeats, MOST_COMPARISONS),
      has("comparison", AFTER_COMPARISON),
    );
    report.set(["compare"], compare);
    printCompare(compare, report);
  } finally {
    await page.close();
  }
}

/**
 * Compaction, taps and ONNX Runtime's lane, on WebGPU under Node; its report. A separate process, because the
 * driver's library path must be set before it starts.
 */
async function benchUnderNode(repeats: number, seconds: number): Promise<{ ratios?: object }> {
  const env = { ...process.env, ...vulkanEnvironment(await findBrowser()) };
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "bench-")), "node.json");
  const sizes = ["--rows", "600,8000", "--prefill", "600", "--repeats", `${repeats}`];
  const limits = ["--seconds", `${seconds}`, "--json", file];
  const args = [
    "--models",
    "keepsight-mini",
    "--cases",
    "compaction,taps,ort",
    ...sizes,
    ...limits,
  ];
  spawnSync(process.execPath, ["cli/run.mjs", "benchNode", ...args], { stdio: "inherit", env });
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
}
