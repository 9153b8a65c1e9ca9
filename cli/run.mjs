#!/usr/bin/env node
// Runs cli/<command>.ts: `node cli/run.mjs ask --image page.png --prompt "…"`.
// Vite compiles the TypeScript in memory, so every command works after `npm ci` alone.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const [command, ...argv] = process.argv.slice(2);
const { module } = await runnerImport(`${root}cli/${command}.ts`, {
  root,
  configFile: false,
  logLevel: "error",
  resolve: { alias: { "@": `${root}src` } },
});
try {
  process.exitCode = await module.main(argv);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = typeof error?.exitCode === "number" ? error.exitCode : 1;
}
