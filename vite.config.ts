import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { type Connect, defineConfig, loadEnv, type Plugin } from "vite";
import { builtFiles, SERVICE_WORKER } from "./build/builtFiles.ts";
import { contentPolicy, contentPolicyOfBuild } from "./build/contentPolicy.ts";
import { Licences } from "./build/licences.ts";
import { linkPreview } from "./build/linkPreview.ts";

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

export default defineConfig(({ mode }) => {
  const licences = new Licences(import.meta.dirname);
  const {
    VITE_MODEL_ORIGINS = "",
    VITE_HF_ENDPOINT = "",
    VITE_SITE_URL = "",
  } = loadEnv(mode, import.meta.dirname);
  const policy = contentPolicy(`${VITE_MODEL_ORIGINS} ${VITE_HF_ENDPOINT}`);
  return {
    base: "./",
    plugins: [
      react(),
      realNotFound(),
      contentPolicyOfBuild(policy),
      linkPreview(VITE_SITE_URL),
      licences.collect(),
      licences.write(),
      builtFiles(policy),
    ],
    resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
    // One ONNX Runtime for our code and Transformers.js; pre-bundling would break its wasm URLs.
    optimizeDeps: { exclude: ["@huggingface/transformers", "onnxruntime-web"] },
    worker: { format: "es", plugins: () => [licences.collect()] },
    build: {
      target: "es2023",
      // Fonts stay files: the policy of the pages allows no font from a data: address.
      assetsInlineLimit: (file) => (file.endsWith(".woff2") ? false : undefined),
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
          entryFileNames: ({ name }) =>
            name === "sw" ? SERVICE_WORKER : "assets/[name]-[hash].js",
        },
      },
    },
  };
});
