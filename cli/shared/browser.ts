import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium, type LaunchOptions } from "@playwright/test";

/** A browser's file, and the environment variables for its own libraries. */
interface Candidate {
  readonly executablePath: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A Chromium that has provided a WebGPU device. */
interface FoundBrowser extends Candidate {
  readonly args: readonly string[];
  readonly version: string;
}

const CACHE = path.resolve("node_modules/.cache/keepsight/browser.json");

const QUIET = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** The machine's own adapter first, then Chromium's software adapter, which always exists. */
const ARGUMENT_SETS = [
  QUIET,
  [...QUIET, "--use-webgpu-adapter=swiftshader"],
  [
    ...QUIET,
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--use-vulkan=swiftshader",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
  ],
];

/**
 * Finds a browser by launching it: $CHROME_PATH, what is installed, the npm package
 * @sparticuz/chromium, then Debian's package. The result is cached under node_modules.
 * @throws Error with one sentence if none provides a WebGPU device.
 */
export async function findBrowser(
  log: (line: string) => void = () => undefined,
): Promise<FoundBrowser> {
  const remembered = readCache();
  if (remembered) return remembered;
  for (const source of [installed, fromNpm, fromDebian]) {
    for (const candidate of source(log)) {
      const found = await probeAll(candidate, log);
      if (found) {
        fs.mkdirSync(path.dirname(CACHE), { recursive: true });
        fs.writeFileSync(CACHE, JSON.stringify(found));
        return found;
      }
    }
  }
  throw Object.assign(
    new Error("No Chromium with WebGPU was found; set CHROME_PATH to one and try again."),
    { exitCode: 3 },
  );
}

function readCache(): FoundBrowser | undefined {
  try {
    const found = JSON.parse(fs.readFileSync(CACHE, "utf8")) as FoundBrowser;
    const wanted = process.env.CHROME_PATH ?? found.executablePath;
    return found.executablePath === wanted && fs.existsSync(wanted) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Playwright's launch options; `$KEEPSIGHT_BROWSER_ARGS` adds arguments. */
export function launchOptions({
  executablePath,
  args,
  env,
}: Omit<FoundBrowser, "version">): LaunchOptions {
  const more = process.env.KEEPSIGHT_BROWSER_ARGS?.split(" ") ?? [];
  return { executablePath, args: [...args, ...more], env: { ...process.env, ...env } };
}

async function probeAll(
  candidate: Candidate,
  log: (line: string) => void,
): Promise<FoundBrowser | undefined> {
  const { executablePath } = candidate;
  for (const args of ARGUMENT_SETS) {
    try {
      const version = await probe(launchOptions({ ...candidate, args }));
      log(`${executablePath}: ${version ?? "no WebGPU adapter"}`);
      if (version) return { ...candidate, args, version };
    } catch (error) {
      log(`${executablePath}: ${String(error).split("\n")[0]}`);
      return undefined;
    }
  }
  return undefined;
}

/** Launches and maps a buffer on a served page: about:blank has no `navigator.gpu`. */
async function probe(options: LaunchOptions): Promise<string | undefined> {
  const server = http.createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html>");
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const browser = await chromium.launch({ ...options, timeout: 30_000 });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    const works = await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      if (!adapter) return false;
      const device = await adapter.requestDevice();
      const buffer = device.createBuffer({ size: 4, usage: 9 });
      await buffer.mapAsync(1);
      device.destroy();
      return true;
    });
    return works ? `Chromium ${browser.version()}` : undefined;
  } finally {
    await browser.close();
    server.close();
  }
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => fs.existsSync(file));
}

function installed(): Candidate[] {
  const { CHROME_PATH, PLAYWRIGHT_BROWSERS_PATH, PROGRAMFILES } = process.env;
  if (CHROME_PATH) return [{ executablePath: CHROME_PATH, env: {} }];
  const names = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chromium-headless-shell",
    "microsoft-edge",
  ];
  const found = names.map(onPath);
  found.push(
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  );
  if (PROGRAMFILES) {
    found.push(path.join(PROGRAMFILES, "Google/Chrome/Application/chrome.exe"));
    found.push(path.join(PROGRAMFILES, "Microsoft/Edge/Application/msedge.exe"));
  }
  const downloads = PLAYWRIGHT_BROWSERS_PATH ?? path.join(os.homedir(), ".cache/ms-playwright");
  if (fs.existsSync(downloads)) {
    for (const folder of fs.readdirSync(downloads)) {
      found.push(path.join(downloads, folder, "chrome-linux/chrome"));
      found.push(path.join(downloads, folder, "chrome-linux64/chrome"));
    }
  }
  return found
    .filter((file): file is string => file !== undefined && fs.existsSync(file))
    .map((executablePath) => ({ executablePath, env: {} }));
}

/** Unpacks the package, with shared libraries and fonts that a minimal machine lacks. */
const UNPACK = `
  import packaged from "@sparticuz/chromium";
  const executablePath = await packaged.executablePath();
  const { LD_LIBRARY_PATH, FONTCONFIG_PATH } = process.env;
  console.log(JSON.stringify({ executablePath, env: { LD_LIBRARY_PATH, FONTCONFIG_PATH } }));
`;

function fromNpm(log: (line: string) => void): Candidate[] {
  if (process.platform !== "linux" || process.arch !== "x64") return [];
  // In a separate process, because the package needs one environment variable and changes others.
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", UNPACK],
    { env: { ...process.env, AWS_LAMBDA_JS_RUNTIME: "nodejs22.x" }, encoding: "utf8" },
  );
  if (status === 0) return [JSON.parse(stdout)];
  log(`@sparticuz/chromium: ${stderr.trim()}`);
  return [];
}

function fromDebian(log: (line: string) => void): Candidate[] {
  if (process.platform !== "linux" || !onPath("apt-get") || process.getuid?.() !== 0) return [];
  log("installing Debian's chromium");
  aptInstall("chromium");
  return installed();
}

function aptInstall(...packages: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore", env });
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], {
    stdio: "ignore",
    env,
  });
}

/**
 * Environment for WebGPU under Node (Dawn): if the system has no Vulkan loader, Chromium's own
 * loader and software driver.
 */
export function vulkanEnvironment(browser: FoundBrowser): Record<string, string> {
  if (process.platform !== "linux") return {};
  const folders = [path.dirname(fs.realpathSync(browser.executablePath)), "/usr/lib/chromium"];
  const folder = folders.find((each) => fs.existsSync(path.join(each, "libvulkan.so.1")));
  if (!folder) {
    aptInstall("libvulkan1", "mesa-vulkan-drivers");
    return {};
  }
  return {
    LD_LIBRARY_PATH: folder,
    VK_ICD_FILENAMES: path.join(folder, "vk_swiftshader_icd.json"),
  };
}
