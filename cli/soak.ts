import fs from "node:fs";
import type { Browser } from "@playwright/test";
import { numberOption, parseCommandLine } from "./shared/options";
import { visitSite } from "./shared/visit";
import { Visitor } from "./soak/journey";
import { slopeOf } from "./soak/slope";
import { Target } from "./soak/target";
import { observedScripts, type Reading, Watch } from "./soak/watch";

const USAGE = `npm run soak -- [--turns N] [--seed S] [--json FILE]

Asks N (default 100) questions in the built page with a tiny random model: other policies, more images,
comparisons, stopped answers. After every conversation it deletes all of them and reads what the page, the
worker and the browser's process hold. Prints the slope of every number over the last third of the turns;
Ctrl+C ends it early. Exit status 0 only if no slope is above zero by more than its 95 % confidence interval.
`;

const QUERY = "?model=tiny-smolvlm&max-new-tokens=4";
const TURNS_PER_CONVERSATION = 6;
/** Share of a run before its slopes: what warms up ends, what leaks goes on. */
const WARM_UP = 2 / 3;

/**
 * V8 compiles a function again when it has run often, for thousands of turns: code that is no leak, and larger than any
 * leak that is looked for.
 */
process.env.KEEPSIGHT_BROWSER_ARGS ??=
  "--js-flags=--no-opt,--no-maglev,--no-sparkplug,--liftoff-only";

interface Sample {
  readonly turn: number;
  readonly reading: Reading;
}

/** @throws with exitCode 2 on usage */
export async function main(argv: readonly string[]): Promise<number> {
  const { turns, seed, json } = parseCommand(argv);
  const samples = await soak(turns, seed);
  if (json !== undefined) fs.writeFileSync(json, `${JSON.stringify({ seed, samples })}\n`);
  return report(samples.slice(Math.floor(samples.length * WARM_UP)));
}

async function soak(turns: number, seed: number): Promise<readonly Sample[]> {
  const scripts = observedScripts();
  try {
    const mounts = { assets: scripts };
    return await visitSite((browser, url) => converse(browser, url, turns, seed), mounts);
  } finally {
    fs.rmSync(scripts, { recursive: true });
  }
}

/** Asks all questions; after every conversation, it reads what is held. */
async function converse(
  browser: Browser,
  url: string,
  turns: number,
  seed: number,
): Promise<readonly Sample[]> {
  const session = await browser.newBrowserCDPSession();
  const page = await Target.open(session);
  const watch = await Watch.start(session, page);
  await page.load(`${url}${QUERY}`);
  const visitor = await Visitor.arrive(page, seed);
  const samples: Sample[] = [];
  const started = performance.now();
  let isStopped = false;
  process.once("SIGINT", () => {
    isStopped = true;
  });
  for (let turn = 0; turn < turns && !isStopped; ) {
    const asked = Math.min(TURNS_PER_CONVERSATION, turns - turn);
    await visitor.converse(asked);
    await visitor.startOver();
    turn += asked;
    samples.push({ turn, reading: await watch.read() });
    const minutes = (performance.now() - started) / 60_000;
    process.stderr.write(`${turn} turns in ${minutes.toFixed(1)} minutes\n`);
  }
  return samples;
}

/** Prints one line per number. */
function report(samples: readonly Sample[]): number {
  const turns = samples.map(({ turn }) => turn);
  let grown = 0;
  process.stdout.write(
    "| held | median | per 1 000 turns | 95 % interval |\n| --- | --- | --- | --- |\n",
  );
  for (const name of Object.keys(samples[0]?.reading ?? {})) {
    const values = samples.map(({ reading }) => reading[name] ?? Number.NaN);
    const { perUnit, margin, isFlat } = slopeOf(turns, values);
    if (!isFlat && perUnit > 0) grown++;
    const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
    const [slope, width] = [perUnit * 1000, margin * 1000].map((value) => written(value));
    process.stdout.write(`| ${name} | ${written(middle)} | ${slope} | ± ${width} |\n`);
  }
  return grown === 0 ? 0 : 1;
}

function written(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 1 });
}

function parseCommand(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { turns: text, seed: text, json: text };
  const { values } = parseCommandLine({ args: [...argv], options }, USAGE);
  return {
    turns: numberOption("turns", values.turns ?? "100", { from: 60, to: 1e6, isWhole: true }),
    seed: numberOption("seed", values.seed ?? "1", { from: 0, to: 2 ** 31 - 1, isWhole: true }),
    json: values.json,
  };
}
