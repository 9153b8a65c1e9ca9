import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Plugin } from "vite";
import { afterAll, beforeEach, expect, it } from "vitest";
import { Licences, packageOf } from "./licences";

let root = "";
const roots: string[] = [];
beforeEach(() => {
  root = fs.mkdtempSync(path.join(tmpdir(), "licences-"));
  roots.push(root);
  fs.writeFileSync(path.join(root, "LICENSE"), "The licence of the project");
});
afterAll(() => {
  for (const folder of roots) fs.rmSync(folder, { recursive: true });
});

/** Installs a package in the test's project. */
function install(name: string, manifest: object, files: Readonly<Record<string, string>> = {}) {
  const folder = path.join(root, "node_modules", name);
  fs.mkdirSync(folder, { recursive: true });
  const written = JSON.stringify({ name, version: "1.2.3", ...manifest });
  fs.writeFileSync(path.join(folder, "package.json"), written);
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
}

/** What a build writes that contains modules of packages. */
function written(...modules: string[]): string {
  const licences = new Licences(root);
  const { transform } = licences.collect() as Plugin & {
    transform(code: string, id: string): null;
  };
  for (const name of modules) transform("", `${root}/node_modules/${name}`);
  return licences.text();
}

it("lists every package of the build and what it depends on, each once", () => {
  install("react", { license: "MIT" }, { LICENSE: "MIT of react" });
  install("@fonts/inter", { license: "OFL-1.1" }, { "LICENSE.md": "OFL of Inter" });
  const dependencies = { react: "1", "@types/react": "1", missing: "1" };
  install("ui", { license: "ISC", dependencies }, { licence: "ISC of ui", NOTICE: "Notice of ui" });
  const text = written("ui/a.js", "ui/b.js", "@fonts/inter/files/latin.woff2?url");
  expect(text.match(/^Keepsight$/gm)).toHaveLength(1);
  for (const part of [
    "The licence of the project",
    "MIT of react",
    "OFL of Inter",
    "Notice of ui",
  ]) {
    expect(text.split(part), part).toHaveLength(2);
  }
  expect(text.indexOf("@fonts/inter 1.2.3")).toBeLessThan(text.indexOf("react 1.2.3"));
});

it.each([
  [{ license: "GPL-3.0" }, 'The licence of odd is "GPL-3.0", which is not accepted.'],
  [{}, "The licence of odd is undefined, which is not accepted."],
  [{ license: { type: "MIT" } }, "not accepted"],
])("fails on %j", (manifest, message) => {
  install("odd", manifest, { LICENSE: "text" });
  install("ui", { license: "MIT", dependencies: { odd: "1" } }, { LICENSE: "MIT" });
  expect(() => written("ui/index.js")).toThrow(message);
});

it("fails on a licence without its text, unless the holder of the copyright is known", () => {
  install("bare", { license: "MIT" });
  expect(() => written("bare/index.js")).toThrow("bare comes without the text of its licence.");
  install("onnxruntime-web", { license: "MIT" });
  const text = written("onnxruntime-web/dist/a.mjs");
  expect(text).toContain("Copyright (c) Microsoft Corporation\n\nPermission is hereby granted");
  expect(text).toContain("ThirdPartyNotices.txt");
});

it("finds the package of a module, in whatever way the bundler names it", () => {
  expect(packageOf("/p/node_modules/a/dist/b.js", "/p")).toBe("/p/node_modules/a");
  expect(packageOf("\0/p/node_modules/@x/a/b.js?commonjs", "/p")).toBe("/p/node_modules/@x/a");
  expect(packageOf("/p/node_modules/a/node_modules/b/c.js", "/p")).toBe(
    "/p/node_modules/a/node_modules/b",
  );
  expect(packageOf("\0vite/preload-helper.js", "/p")).toBe("/p/node_modules/vite");
  expect(packageOf("/p/src/node_module/a.ts", "/p")).toBeUndefined();
});
