import type { Plugin } from "vite";

/** Model files of the Hub: its own addresses, its large files, and the storage behind them. */
const HUB = ["huggingface.co", "*.huggingface.co", "*.hf.co", "*.xethub.hf.co"];

/** The name of the only Trusted Types policy: `src/client/ownScripts.ts`. */
const SCRIPT_POLICY = "default";

/**
 * The Content-Security-Policy of every page and script of a build.
 * @param origins origins that models may come from besides this site and the Hub, separated by
 * spaces or commas: `https://models.example http://localhost:8000`; `https:` is every host with TLS
 * @throws Error naming an entry that is no origin
 */
export function contentPolicy(origins = ""): string {
  const more = origins.split(/[\s,]+/).filter((origin) => origin !== "");
  const wrong = more.find((origin) => !isOrigin(origin));
  if (wrong !== undefined) throw new Error(`VITE_MODEL_ORIGINS: ${wrong} is no origin.`);
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' blob: data:",
    "media-src blob:",
    `connect-src ${["'self'", ...HUB, ...more].join(" ")}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${SCRIPT_POLICY}`,
  ].join("; ");
}

function isOrigin(text: string): boolean {
  if (text === "https:") return true;
  return (
    /^https?:\/\/[\w.:[\]-]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
  );
}

/**
 * Writes the policy into every page, and into `_headers` for hosts that read it. A dedicated worker
 * does not inherit the policy of a page's `<meta>`; its script needs the header.
 */
export function contentPolicyOfBuild(policy: string): Plugin {
  return {
    name: "content-policy",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html) {
        const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}" />`;
        const page = html.replace(
          /<meta charset="utf-8" \/>/,
          (charset) => `${charset}\n    ${meta}`,
        );
        if (page === html) throw new Error("A page without a charset has no place for the policy.");
        return page;
      },
    },
    generateBundle() {
      const source = `/*\n  Content-Security-Policy: ${policy}\n`;
      this.emitFile({ type: "asset", fileName: "_headers", source });
    },
  };
}
