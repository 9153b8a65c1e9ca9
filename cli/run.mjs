#!/usr/bin/env node
// Runs cli/<command>.ts: `node cli/run.mjs ask --image page.png --prompt "…"`.
// The TypeScript is compiled in memory, so every command works after `npm ci` alone.
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [command, ...argv] = process.argv.slice(2);

/** The command that does not need Vite and is run often. */
const PLAIN = new Set(["policy"]);
const { main } = PLAIN.has(command) ? await bundled(command) : await served(command);
try {
  process.exitCode = await main(argv);
} catch (error) {
  process.exitCode = typeof error?.exitCode === "number" ? error.exitCode : 1;
  const stream = process.exitCode === 0 ? process.stdout : process.stderr;
  stream.write(`${error instanceof Error ? error.message : error}\n`);
}

/** Uses Vite's module runner. */
async function served(command) {
  const { runnerImport } = await import("vite");
  const { module } = await runnerImport(`${root}cli/${command}.ts`, {
    root,
    configFile: false,
    logLevel: "error",
    resolve: { alias: { "@": `${root}src` } },
  });
  return module;
}

/** Uses only Vite's bundler, which takes a third of the start-up time. */
async function bundled(command) {
  const { rolldown } = await import("rolldown");
  const bundle = await rolldown({
    input: `${root}cli/${command}.ts`,
    platform: "node",
    resolve: { alias: { "@": `${root}src` } },
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ format: "es", codeSplitting: false });
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`);
}
