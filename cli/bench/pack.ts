import fs from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";
import { findBrowser } from "../shared/browser";

const FIXTURES = "fixtures/decoder";
const MODEL = "public/models/keepsight-mini";
/** What the bundle imports and cannot contain: WebGPU's native part, and ONNX Runtime with its WebAssembly. */
const PACKAGED = [
  ...["package.json", "index.js", "dist/linux-x64/dawn.node"].map((file) => `webgpu/${file}`),
  "onnxruntime-web/package.json",
  "onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm",
];
/** Vulkan's loader, which a machine with a driver may lack. */
const LOADER = "libvulkan.so.1";

const RUN = `#!/bin/sh
# On this machine's GPU, the benchmark: sh run.sh --models Llama-1.1B --rows 1000
# or the answers to a data set:         sh run.sh eval --data DIR --policies full:1,aircache:0.2 --json scores.json
# Paths are absolute, or relative to this folder.
cd "$(dirname "$0")" || exit 1
if ! ldconfig -p 2>/dev/null | grep -q ${LOADER}; then
  export LD_LIBRARY_PATH="$PWD/lib:$LD_LIBRARY_PATH"
fi
exec ./node bench.mjs "$@"
`;

/**
 * Writes a folder that runs `bench:node` and `eval:node` on an x86-64 Linux machine with a GPU's driver and nothing else: Node,
 * Dawn, Vulkan's loader, the bundled script, the small model and the decoder's fixtures.
 */
export async function pack(directory: string): Promise<number> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error("--pack copies this machine's Node, so it needs x86-64 Linux.");
  }
  const at = (...parts: readonly string[]) => path.join(directory, ...parts);
  const copy = (from: string, to: string) => {
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.copyFileSync(fs.realpathSync(from), to);
  };
  await bundle(at("bench.mjs"));
  copy(process.execPath, at("node"));
  fs.chmodSync(at("node"), 0o755);
  for (const file of PACKAGED) copy(`node_modules/${file}`, at("node_modules", file));
  fs.cpSync("stubs/empty", at("node_modules/onnxruntime-node"), { recursive: true });
  const isKept = (file: string) => path.basename(file) !== "onnx";
  fs.cpSync(MODEL, at(MODEL), { recursive: true, filter: isKept });
  fs.cpSync(FIXTURES, at(FIXTURES), { recursive: true });
  const { executablePath } = await findBrowser();
  const loader = [path.dirname(executablePath), "/usr/lib/x86_64-linux-gnu", "/usr/lib/chromium"]
    .map((folder) => path.join(folder, LOADER))
    .find((file) => fs.existsSync(file));
  if (loader) copy(loader, at("lib", LOADER));
  fs.writeFileSync(at("run.sh"), RUN, { mode: 0o755 });
  process.stdout.write(`${directory}: sh run.sh${loader ? "" : " (without Vulkan's loader)"}\n`);
  return 0;
}

/** One file of this command and everything it imports; `.wgsl?raw` becomes a string. */
export async function bundle(file: string): Promise<void> {
  const output = await rolldown({
    input: ENTRY,
    platform: "node",
    external: ["webgpu", "onnxruntime-web/webgpu"],
    resolve: { alias: { "@": path.resolve("src") } },
    transform: { define: { "import.meta.env.DEV": "true" } },
    plugins: [entry(), rawText()],
    logLevel: "silent",
  });
  await output.write({ file, format: "es", codeSplitting: false });
}

const ENTRY = "\0entry";
/** Modules that a packed command does not need, and what stands for them. */
const REPLACED: Readonly<Record<string, string>> = {
  "./bench/pack": 'export const pack = () => { throw new Error("--pack needs the repository."); };',
  "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url": 'export default "";',
};

/** `bench:node`, or `eval:node` if the first argument of the process is `eval`. */
function entry() {
  const command = (name: string) => JSON.stringify(path.resolve(`cli/${name}.ts`));
  const code = `import { main as bench } from ${command("benchNode")};
import { main as evaluate } from ${command("evalNode")};
const [first, ...rest] = process.argv.slice(2);
try {
  process.exit(first === "eval" ? await evaluate(rest) : await bench(process.argv.slice(2)));
} catch (error) {
  console.error(error.exitCode ? error.message : error);
  process.exit(error.exitCode ?? 1);
}`;
  return {
    name: "entry",
    resolveId: (id: string) => (id === ENTRY || id in REPLACED ? `\0${id}` : null),
    load(id: string) {
      const name = id.slice(1);
      const text = name === ENTRY ? code : REPLACED[name];
      return text === undefined ? null : { code: text, moduleType: "js" as const };
    },
  };
}

function rawText() {
  const mark = "\\0raw:";
  return {
    name: "raw-text",
    resolveId(id: string, importer: string | undefined) {
      if (!id.endsWith("?raw") || !importer) return null;
      const file = id.slice(0, -"?raw".length);
      const [folder, name] = file.startsWith("@/")
        ? ["src", file.slice(2)]
        : [path.dirname(importer), file];
      return mark + path.resolve(folder, name);
    },
    load(id: string) {
      if (!id.startsWith(mark)) return null;
      const text = fs.readFileSync(id.slice(mark.length), "utf8");
      return { code: `export default ${JSON.stringify(text)}`, moduleType: "js" as const };
    },
  };
}
