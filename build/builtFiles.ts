import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";

export const SERVICE_WORKER = "sw.js";
/** Files that the page does not fetch: other pages, texts, what the models have as ONNX, too. */
const NOT_KEPT =
  /^_headers$|^preview\.png$|^examples\/|^headless\.html$|\.md$|^models\/[^/]+\/onnx\//;
/** Larger files are not stored, because the service worker would hold them in memory. */
const MAX_KEPT_BYTES = 64e6;

/**
 * Tells the service worker the size and the digest of every file that it may keep, and the policy
 * that it sends with scripts.
 */
export function builtFiles(policy: string): Plugin {
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
        const values = `const BUILT_FILES=${list};\nconst POLICY=${JSON.stringify(policy)};\n`;
        script.code = values + script.code;
      },
    },
  };
}
