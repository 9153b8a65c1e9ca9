import fc from "fast-check";
import type { FuzzTarget } from "./fuzz/target";
import { fuzzTargets } from "./fuzz/targets";
import { numberOption, parseCommandLine, usageError } from "./shared/options";

const USAGE = `npm run fuzz -- [--runs N] [--seed S] [--target NAME]

Reads N (default 100000) changed image files, weight files, configurations, conversations and
addresses. Each must be read correctly or refused with a sentence. A failure is printed with its
smallest input; add it to cli/fuzz/corpus.json, which the unit tests read. Exit status 0 only if
nothing failed.
`;

interface Outcome {
  readonly runs: number;
  readonly failure?: string;
}

/** @throws with exitCode 2 on usage */
export async function main(argv: readonly string[]): Promise<number> {
  const { runs, seed, only } = parseCommand(argv);
  const targets = fuzzTargets().filter(({ target }) => only === undefined || target.name === only);
  if (targets.length === 0) throw usageError(`There is no target ${only}.`, USAGE);
  const whole = targets.reduce((sum, { share }) => sum + share, 0);
  let failed = 0;
  process.stdout.write(`seed ${seed}\n`);
  for (const { target, share } of targets) {
    const started = performance.now();
    const outcome = await fuzz(target, Math.ceil((runs * share) / whole), seed);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const result = outcome.failure === undefined ? "nothing failed" : "FAILED";
    process.stdout.write(`${target.name}: ${outcome.runs} inputs in ${seconds} s, ${result}\n`);
    if (outcome.failure === undefined) continue;
    process.stdout.write(`${outcome.failure}\n`);
    failed++;
  }
  return failed === 0 ? 0 : 1;
}

/** Runs until the first failure, then looks for the smallest input that fails. */
async function fuzz(target: FuzzTarget, runs: number, seed: number): Promise<Outcome> {
  const property = fc.asyncProperty(target.inputs, async (input) => target.check(input));
  const checked = await fc.check(property, { numRuns: runs, seed });
  if (!checked.failed) return { runs: checked.numRuns };
  const [input] = checked.counterexample ?? [];
  const stack = checked.errorInstance instanceof Error ? checked.errorInstance.stack : "";
  const entry = { target: target.name, input: written(input) };
  return { runs: checked.numRuns, failure: `${stack}\n${JSON.stringify(entry)}` };
}

/** As in the corpus: bytes in base64. */
function written(input: string | Uint8Array | undefined): string | { readonly base64: string } {
  if (typeof input === "string") return input;
  return { base64: Buffer.from(input ?? []).toString("base64") };
}

function parseCommand(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { runs: text, seed: text, target: text };
  const { values } = parseCommandLine({ args: [...argv], options }, USAGE);
  const seeds = { from: 0, to: 2 ** 31 - 1, isWhole: true };
  return {
    runs: numberOption("runs", values.runs ?? "100000", { from: 1, to: 1e9, isWhole: true }),
    seed: numberOption("seed", values.seed ?? String(Date.now() % 2 ** 31), seeds),
    only: values.target,
  };
}
