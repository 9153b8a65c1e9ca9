import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import sirv, { type Options } from "sirv";

const DIST = path.resolve("dist");
const STAMP = path.join(DIST, ".built");
/** Inputs of the build; if one of them is newer than the build, the build is stale. */
const SOURCES = [
  "src",
  "public",
  "examples",
  "index.html",
  "headless.html",
  "build",
  "vite.config.ts",
  "package-lock.json",
];

/**
 * Builds `dist/` if a source is newer than it, or if it was built for other origins of models. Build
 * output goes to stderr.
 */
export function buildIfStale(): void {
  const { VITE_MODEL_ORIGINS = "", VITE_HF_ENDPOINT = "" } = process.env;
  const origins = `${VITE_MODEL_ORIGINS} ${VITE_HF_ENDPOINT}`;
  const isBuilt = fs.existsSync(STAMP) && fs.readFileSync(STAMP, "utf8") === origins;
  if (isBuilt && newest(SOURCES) <= fs.statSync(STAMP).mtimeMs) return;
  process.stderr.write("Building the site …\n");
  const vite = path.resolve("node_modules/vite/bin/vite.js");
  const { status, stderr, stdout } = spawnSync(process.execPath, [vite, "build"], {
    encoding: "utf8",
    // The runner of these commands (run.mjs) sets this to development for itself.
    env: { ...process.env, NODE_ENV: "production" },
  });
  if (status !== 0) throw new Error(`The build failed:\n${stdout}${stderr}`);
  fs.writeFileSync(STAMP, origins);
}

function newest(files: readonly string[]): number {
  let latest = 0;
  for (const file of files) {
    if (!fs.existsSync(file)) continue;
    const stat = fs.statSync(file);
    latest = Math.max(latest, stat.mtimeMs);
    if (stat.isDirectory()) {
      latest = Math.max(latest, newest(fs.readdirSync(file).map((name) => path.join(file, name))));
    }
  }
  return latest;
}

export interface Site {
  /** Ends in a slash. */
  readonly url: string;
  close(): void;
}

/**
 * Serves the built site on 127.0.0.1, with byte ranges, 404 for missing files, and the build's
 * Content-Security-Policy with every script: a dedicated worker does not inherit its page's.
 * @param mounts folders from anywhere on disk, by URL prefix without a slash at either end
 * @param port 0 picks a free one
 */
export async function serveSite(
  mounts: Readonly<Record<string, string>> = {},
  port = 0,
  host = "127.0.0.1",
): Promise<Site> {
  const setHeaders: Options["setHeaders"] = (response, name) => {
    if (/\.m?js$/.test(name)) response.setHeader("Content-Security-Policy", builtPolicy());
  };
  const site = sirv(DIST, { dev: true, etag: true, setHeaders });
  const folders = Object.entries(mounts).map(([prefix, folder]) => {
    return { path: `/${prefix}/`, serve: sirv(folder, { dev: true, setHeaders }) };
  });
  const server = http.createServer((request, response) => {
    const missing = () => {
      response.statusCode = 404;
      response.end("not found");
    };
    const url = request.url ?? "/";
    const folder = folders.find(({ path: prefix }) => url.startsWith(prefix));
    if (folder) request.url = `/${url.slice(folder.path.length)}`;
    decodePath(request);
    (folder?.serve ?? site)(request, response, missing);
  });
  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(port, host, ready);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host === "0.0.0.0" ? "localhost" : host}:${actual}/`,
    close: () => void server.close(),
  };
}

/** The policy that the build wrote for hosts. A server of model directories alone needs no build. */
function builtPolicy(): string {
  const headers = fs.readFileSync(path.join(DIST, "_headers"), "utf8");
  return /^ *Content-Security-Policy: (.+)$/m.exec(headers)![1]!;
}

/**
 * Passes a decoded path to sirv. By default sirv does not decode reserved characters (`#`, `?`,
 * `&`, `+`, `,` and others), so it does not find files with these in their names.
 */
function decodePath(request: http.IncomingMessage): void {
  const raw = request.url ?? "/";
  const [given = "/"] = raw.split(/[?#]/, 1);
  try {
    // sirv decodes once more, which only affects percent signs.
    const pathname = decodeURIComponent(given).replaceAll("%", "%25");
    Object.assign(request, { _parsedUrl: { raw, pathname } });
  } catch {
    // Invalid escape: sirv uses the path unchanged.
  }
}
