import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";

const root = process.cwd();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-browser-"));
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A machine with nothing but Node: no browser, no package manager, nothing remembered or unpacked. */
function nodeAlone(): NodeJS.ProcessEnv {
  for (const name of ["bin", "tmp", "node_modules"]) fs.mkdirSync(path.join(folder, name));
  fs.symlinkSync(process.execPath, path.join(folder, "bin/node"));
  const packages = path.join(folder, "node_modules/@sparticuz");
  fs.symlinkSync(path.join(root, "node_modules/@sparticuz"), packages);
  return { PATH: path.join(folder, "bin"), HOME: folder, TMPDIR: path.join(folder, "tmp") };
}

test.runIf(process.platform === "linux" && process.arch === "x64")(
  "with Node alone on the path, the browser of the npm package is unpacked and used",
  () => {
    // Vitest is missing there, so the command ends when it has found the browser.
    const { stderr } = spawnSync("node", [path.join(root, "cli/run.mjs"), "test", "gpu"], {
      ...{ cwd: folder, env: nodeAlone(), encoding: "utf8" },
    });
    const cache = path.join(folder, "node_modules/.cache/keepsight/browser.json");
    expect(fs.existsSync(cache), stderr).toBe(true);
    const { executablePath, version } = JSON.parse(fs.readFileSync(cache, "utf8"));
    expect(path.dirname(executablePath)).toBe(path.join(folder, "tmp"));
    expect(version).toMatch(/^Chromium \d+/);
  },
  120_000,
);
