import fs from "node:fs";
import { type GoldenResult, isFieldWithin, runFixture } from "@/compression/reference/golden/run";
import { PolicyError } from "@/compression/types";
import { inputError, parseCommandLine, usageError } from "./shared/options";

const USAGE = `npm run policy -- --fixture FILE [--json FILE|-]

Runs the policy of a recorded fixture (fixtures/kv-golden/README.md) on its inputs and prints the
fields of its "expected" with our values. Exit status 0 only if all of them agree.
`;

/** @throws with exitCode 2 on usage, 1 on a file that cannot be read. */
export async function main(argv: readonly string[]): Promise<number> {
  const { fixture, json } = parseCommand(argv);
  const result = run(fixture);
  const document = `${JSON.stringify({ fixture, ...result }, null, 1)}\n`;
  if (json === "-") process.stdout.write(document);
  else process.stdout.write(report(fixture, result));
  if (json !== undefined && json !== "-") fs.writeFileSync(json, document);
  return result.agrees ? 0 : 1;
}

function parseCommand(argv: readonly string[]) {
  const options = { fixture: { type: "string" }, json: { type: "string" } } as const;
  const { fixture, json } = parseCommandLine({ args: [...argv], options }, USAGE).values;
  if (fixture === undefined) throw usageError("--fixture is missing.", USAGE);
  return { fixture, json };
}

function run(file: string): GoldenResult {
  if (!fs.existsSync(file)) throw inputError(`There is no file ${file}.`);
  try {
    return runFixture(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch (error) {
    if (error instanceof SyntaxError) throw inputError(`${file} is not JSON.`);
    if (error instanceof RangeError || error instanceof PolicyError) {
      throw inputError(`${file} cannot be run: ${error.message}.`);
    }
    throw inputError(`${file} cannot be run: its fields do not match its method.`);
  }
}

/** One line per field, long lists shortened, then the result. */
function report(file: string, { method, policies, actual, ...result }: GoldenResult): string {
  const lines = [`${file}: ${method}, policy ${policies.join(" and ")}`];
  for (const [field, value] of leaves(actual)) {
    const differs = result.differences.find((each) => isFieldWithin(each.field, field));
    const mark = differs ? "✗" : "✓";
    const text = JSON.stringify(value);
    lines.push(`${mark} ${field} ${text.length > 96 ? `${text.slice(0, 96)}…` : text}`);
    if (differs) lines.push(`  ${differs.field}: ${differs.expected} was expected`);
  }
  for (const [field, reason] of Object.entries(result.waived)) lines.push(`– ${field}: ${reason}`);
  lines.push(result.agrees ? "agrees" : `differs in ${result.differences.length} places`);
  return `${lines.join("\n")}\n`;
}

/** Flattens fields to lists of numbers and plain values. */
function leaves(value: unknown, path = ""): [string, unknown][] {
  const isBranch =
    typeof value === "object" &&
    value !== null &&
    (!Array.isArray(value) || (value.length > 0 && typeof value[0] === "object"));
  if (!isBranch) return [[path, value]];
  return Object.entries(value).flatMap(([key, each]) =>
    leaves(each, Array.isArray(value) ? `${path}[${key}]` : path ? `${path}.${key}` : key),
  );
}
