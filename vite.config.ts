import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { type Connect, defineConfig, type Plugin } from "vite";

/** Vite answers a missing file with index.html and status 200; under models/ that must be a 404. */
function realNotFound(): Plugin {
  const answer =
    (root: string): Connect.NextHandleFunction =>
    (request, response, next) => {
      const file = decodeURIComponent((request.url ?? "").split("?")[0] ?? "");
      if (!file.includes("/models/") || fs.existsSync(path.join(root, file))) return next();
      response.statusCode = 404;
      response.end("not found");
    };
  return {
    name: "models-not-found",
    configureServer: (server) => void server.middlewares.use(answer(server.config.publicDir)),
    configurePreviewServer: (server) =>
      void server.middlewares.use(
        answer(path.resolve(server.config.root, server.config.build.outDir)),
      ),
  };
}

const SERVICE_WORKER = "sw.js";
/** Files that the page does not fetch: other pages, texts, the ONNX decoder of the benchmark. */
const NOT_KEPT = /^examples\/|^headless\.html$|\.md$|\/onnx\/(decoder_model|embed_tokens)/;
/** Larger files are not stored, because the service worker would hold them in memory. */
const MAX_KEPT_BYTES = 64e6;

/** Tells the service worker the size and the digest of every file that it may keep. */
function builtFiles(): Plugin {
  let publicDir = "";
  return {
    name: "built-files",
    apply: "build",
    enforce: "post",
    configResolved: (config) => {
      publicDir = config.publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const script = bundle[SERVICE_WORKER];
        if (script?.type !== "chunk") throw new Error("The build has no service worker");
        const built = Object.entries(bundle).map(
          ([name, file]) => [name, file.type === "chunk" ? file.code : file.source] as const,
        );
        const copied = fs
          .readdirSync(publicDir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name))
          .map((file) => [path.relative(publicDir, file), fs.readFileSync(file)] as const);
        const files = [...built, ...copied]
          .map(([name, content]) => [name.split(path.sep).join("/"), Buffer.from(content)] as const)
          .filter(([name]) => name !== SERVICE_WORKER && !NOT_KEPT.test(name))
          .filter(([, { length }]) => length <= MAX_KEPT_BYTES)
          .map(([name, bytes]) => {
            const digest = createHash("sha256").update(bytes).digest("hex");
            return [encodeURI(name), [bytes.length, digest]] as const;
          });
        const list = JSON.stringify(Object.fromEntries(files));
        script.code = `const BUILT_FILES=${list};\n${script.code}`;
      },
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [react(), realNotFound(), builtFiles()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // One ONNX Runtime for our code and Transformers.js; pre-bundling would break its wasm URLs.
  optimizeDeps: { exclude: ["@huggingface/transformers", "onnxruntime-web"] },
  worker: { format: "es" },
  build: {
    target: "es2023",
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      input: {
        index: "index.html",
        headless: "headless.html",
        embed: "examples/embed.html",
        sw: "src/offline/serviceWorker.ts",
      },
      output: {
        // A service worker controls the paths below its own address.
        entryFileNames: ({ name }) => (name === "sw" ? SERVICE_WORKER : "assets/[name]-[hash].js"),
      },
    },
  },
});
