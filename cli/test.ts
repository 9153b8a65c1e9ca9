import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { findBrowser, vulkanEnvironment } from "./shared/browser";
import { buildIfStale } from "./shared/site";

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const REPORTS = path.resolve("node_modules/.cache/keepsight/reports");

/**
 * `npm test`: lint, types, unit, GPU and browser tests, one after the other, counted from the
 * runners' own reports. Every one runs even if an earlier one failed; one that cannot start counts
 * as one failure. `npm test -- unit gpu` runs only those.
 */
export async function main(argv: readonly string[]): Promise<number> {
  fs.mkdirSync(REPORTS, { recursive: true });
  const browser = () => findBrowser((line) => process.stderr.write(`browser: ${line}\n`));
  const runners: Record<string, () => Promise<Count>> = {
    lint: () => tool("node_modules/@biomejs/biome/bin/biome", ["check", "--error-on-warnings"]),
    types: () => tool("node_modules/typescript/bin/tsc", ["-p", "."]),
    unit: () => vitest("unit", {}),
    gpu: async () => vitest("gpu", vulkanEnvironment(await browser())),
    e2e: async () => {
      await browser();
      buildIfStale();
      return playwright();
    },
  };
  const total = { passed: 0, failed: 0 };
  for (const [name, run] of Object.entries(runners)) {
    if (argv.length > 0 && !argv.includes(name)) continue;
    process.stdout.write(`\n── ${name}\n`);
    const { passed, failed } = await run().catch((error: Error) => {
      process.stdout.write(`${error.message}\n`);
      return { passed: 0, failed: 1 };
    });
    process.stdout.write(`── ${name}: ${passed} passed, ${failed} failed\n`);
    total.passed += passed;
    total.failed += failed;
  }
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function tool(script: string, args: readonly string[]): Promise<Count> {
  const status = await run(script, args);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

async function vitest(project: string, env: Record<string, string>): Promise<Count> {
  const file = freshReport(project);
  const status = await run(
    "node_modules/vitest/vitest.mjs",
    [
      "run",
      "--project",
      project,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
    ],
    env,
  );
  const report = readReport<VitestReport>(file);
  if (!report) return { passed: 0, failed: 1 };
  const { numPassedTests: passed, numFailedTests: failed } = report;
  // A file that does not load has no failed test, so it counts as one.
  return { passed, failed: status === 0 && report.success ? failed : Math.max(1, failed) };
}

interface PlaywrightReport {
  readonly stats: {
    readonly expected: number;
    readonly unexpected: number;
    readonly flaky: number;
  };
  readonly errors: readonly unknown[];
}

async function playwright(): Promise<Count> {
  const file = freshReport("e2e");
  const status = await run("node_modules/@playwright/test/cli.js", ["test"], {
    KEEPSIGHT_REPORT: file,
  });
  const report = readReport<PlaywrightReport>(file);
  if (!report) return { passed: 0, failed: 1 };
  const failed = report.stats.unexpected + report.stats.flaky + report.errors.length;
  return { passed: report.stats.expected, failed: status === 0 ? failed : Math.max(1, failed) };
}

function freshReport(name: string): string {
  const file = path.join(REPORTS, `${name}.json`);
  fs.rmSync(file, { force: true });
  return file;
}

function readReport<T>(file: string): T | undefined {
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as T) : undefined;
}

function run(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [path.resolve(script), ...args], {
      stdio: "inherit",
      env: { ...process.env, ...env },
    });
    child.on("close", (status) => done(status ?? 1));
  });
}
