import fs from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";
import { findBrowser } from "../browser";

const FIXTURES = "fixtures/decoder";
const MODEL = "public/models/keepsight-mini";
const MODEL_FILES = ["config.json", "model.safetensors"];
/** Vulkan's loader, which a machine with a driver may lack. */
const LOADER = "libvulkan.so.1";

const RUN = `#!/bin/sh
# The benchmark of this folder, on this machine's GPU: sh run.sh --models Llama-1.1B --rows 1000
cd "$(dirname "$0")" || exit 1
if ! ldconfig -p 2>/dev/null | grep -q ${LOADER}; then
  export LD_LIBRARY_PATH="$PWD/lib:$LD_LIBRARY_PATH"
fi
exec ./node bench.mjs "$@"
`;

/**
 * Writes a folder that runs `bench:node` on an x86-64 Linux machine with a GPU's driver and nothing else: Node,
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
  for (const file of ["package.json", "index.js", "dist/linux-x64/dawn.node"]) {
    copy(path.join("node_modules/webgpu", file), at("node_modules/webgpu", file));
  }
  for (const file of MODEL_FILES) copy(path.join(MODEL, file), at(MODEL, file));
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
async function bundle(file: string): Promise<void> {
  const output = await rolldown({
    input: ENTRY,
    platform: "node",
    external: ["webgpu"],
    resolve: { alias: { "@": path.resolve("src") } },
    plugins: [entry(), rawText()],
    logLevel: "silent",
  });
  await output.write({ file, format: "es", codeSplitting: false });
}

const ENTRY = "\0entry";
const NO_PACK = "\0no-pack";

/** Runs the command with the arguments of the process; a packed benchmark packs nothing. */
function entry() {
  const command = path.resolve("cli/benchNode.ts");
  const code: Readonly<Record<string, string>> = {
    [ENTRY]: `import { main } from ${JSON.stringify(command)};
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  console.error(error.exitCode ? error.message : error);
  process.exit(error.exitCode ?? 1);
}`,
    [NO_PACK]: 'export const pack = () => { throw new Error("--pack needs the repository."); };',
  };
  return {
    name: "entry",
    resolveId(id: string) {
      if (id === "./bench/pack") return NO_PACK;
      return id === ENTRY ? id : null;
    },
    load(id: string) {
      return id in code ? { code: code[id] as string, moduleType: "js" as const } : null;
    },
  };
}

function rawText() {
  const mark = "\\0raw:";
  return {
    name: "raw-text",
    resolveId(id: string, importer: string | undefined) {
      if (!id.endsWith("?raw") || !importer) return null;
      return mark + path.resolve(path.dirname(importer), id.slice(0, -"?raw".length));
    },
    load(id: string) {
      if (!id.startsWith(mark)) return null;
      const text = fs.readFileSync(id.slice(mark.length), "utf8");
      return { code: `export default ${JSON.stringify(text)}`, moduleType: "js" as const };
    },
  };
}
