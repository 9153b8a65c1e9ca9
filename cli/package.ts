import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";
import { build } from "vite";
import { Licences } from "../build/licences";

const LIB = path.resolve("lib");
const ALIAS = { "@": path.resolve("src") };
const WORKER_SOURCE = "@/runtime/worker.ts";

/**
 * `npm pack` and `npm publish` run this first. It writes `lib/`: the client, one worker file that holds
 * the engine, Transformers.js and ONNX Runtime, the wasm file, the types, and the licences. A consumer's bundler
 * therefore installs and resolves none of our dependencies.
 */
export async function main(): Promise<number> {
  fs.rmSync(LIB, { recursive: true, force: true });
  await buildWorker();
  await buildClient();
  writeTypes();
  return 0;
}

async function buildWorker(): Promise<void> {
  const licences = new Licences(path.resolve("."));
  await build({
    configFile: false,
    // The runner of these commands (run.mjs) works in development mode.
    mode: "production",
    logLevel: "warn",
    base: "./",
    publicDir: false,
    plugins: [licences.collect(), licences.write()],
    resolve: { alias: ALIAS },
    build: {
      target: "es2023",
      outDir: LIB,
      chunkSizeWarningLimit: 4096,
      rolldownOptions: {
        input: { worker: "src/runtime/worker.ts" },
        output: {
          codeSplitting: false,
          entryFileNames: "[name].js",
          assetFileNames: "[name][extname]",
        },
      },
    },
  });
  // ONNX Runtime names a file that only its proxy mode needs; a consumer's Vite would warn that it is missing.
  const file = path.join(LIB, "worker.js");
  const code = fs.readFileSync(file, "utf8");
  const unused = /new URL\((?=.ort\.webgpu\.bundle\.min\.mjs)/g;
  fs.writeFileSync(file, code.replace(unused, "new URL(/* @vite-ignore */ "));
}

/** The client names its worker by source; in the package that is the built file beside it. */
async function buildClient(): Promise<void> {
  const bundle = await rolldown({
    input: { keepsight: "src/client/keepsight.ts" },
    resolve: { alias: ALIAS },
  });
  const { output } = await bundle.generate({ format: "es" });
  await bundle.close();
  const parts = output[0].code.split(WORKER_SOURCE);
  if (parts.length !== 2) throw new Error(`The client names ${WORKER_SOURCE} not exactly once.`);
  fs.writeFileSync(path.join(LIB, "keepsight.js"), parts.join("./worker.js"));
}

/** Consumers do not have our alias, so the types import each other by relative paths. */
function writeTypes(): void {
  const tsc = path.resolve("node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.package.json"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The types do not compile:\n${stdout}`);
  const types = path.join(LIB, "types");
  for (const name of fs.readdirSync(types, { recursive: true, encoding: "utf8" })) {
    const file = path.join(types, name);
    if (!name.endsWith(".d.ts")) continue;
    const up = path.relative(path.dirname(file), types);
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replaceAll('"@/', `"${up}/`));
  }
}
