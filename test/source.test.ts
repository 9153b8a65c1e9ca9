import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const SRC = path.resolve(import.meta.dirname, "../src");
const CLI = path.resolve(import.meta.dirname, "../cli");
const MAX_FILES = 25;
const MAX_KERNEL_LINES = 150;

const isSource = (name: string) => /\.(tsx?|wgsl)$/.test(name) && !/\.test\.tsx?$/.test(name);

/** Source files below a folder, tests left out, as paths from there. */
function sourcesOf(root: string): string[] {
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isSource(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

const files = sourcesOf(SRC);

test("no folder holds more files than a person reads at a glance", () => {
  const counts = new Map<string, number>();
  for (const file of files) {
    const folder = path.dirname(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
});

test("no kernel is longer than a screen or two", () => {
  const kernels = files.filter((name) => name.endsWith(".wgsl"));
  expect(kernels.length).toBeGreaterThan(80);
  const lines = (name: string) => fs.readFileSync(path.join(SRC, name), "utf8").split("\n").length;
  expect(kernels.filter((name) => lines(name) > MAX_KERNEL_LINES)).toEqual([]);
});

// Firefox's compiler (naga of Firefox 153) ends its GPU process at `array<vec4f, 2u * SIZE>` with an override SIZE.
test("the size of an array in workgroup memory is one name", () => {
  const kernels = files.filter((name) => name.endsWith(".wgsl"));
  const arrays = kernels.flatMap((name) => {
    const code = fs.readFileSync(path.join(SRC, name), "utf8");
    return [...code.matchAll(/var<workgroup>.*array<\w+, *([^>]*)>/g)].map(([, size]) => size!);
  });
  expect(arrays.length).toBeGreaterThan(10);
  expect(arrays.filter((size) => !/^\w+$/.test(size))).toEqual([]);
});

test("no two exported classes, types, functions or constants share a name", () => {
  const places = new Map<string, string[]>();
  for (const file of files.filter((name) => !name.endsWith(".wgsl"))) {
    for (const name of exportedNames(file)) places.set(name, [...(places.get(name) ?? []), file]);
  }
  expect(places.size).toBeGreaterThan(500);
  expect([...places].filter(([, found]) => found.length > 1)).toEqual([]);
});

const DECLARATION =
  /^export (?:default )?(?:abstract )?(?:async )?(?:class|interface|type|function\*?|const|let) +(\w+)/gm;

/** Names that a file exports; React components and their props are left out. */
function exportedNames(file: string): string[] {
  const text = fs.readFileSync(path.join(SRC, file), "utf8");
  const names = [...text.matchAll(DECLARATION)].map(([, name]) => name!);
  // An overloaded function is declared once per signature.
  const distinct = [...new Set(names)];
  return file.endsWith(".tsx")
    ? distinct.filter((name) => !/^[A-Z][a-z]/.test(name) && !name.endsWith("Props"))
    : distinct;
}

test.each([
  { folder: "src", root: SRC, least: 1000 },
  { folder: "cli", root: CLI, least: 100 },
])("no file of $folder imports itself by way of others", ({ root, least }) => {
  const modules = new Set(sourcesOf(root).filter((name) => !name.endsWith(".wgsl")));
  const uses = new Map([...modules].map((file) => [file, importsOf(root, file, modules)]));
  expect([...uses.values()].flat().length).toBeGreaterThan(least);
  expectNoCircle(uses);
});

test("the folders of the store depend on each other in one direction", () => {
  const uses = new Map<string, Set<string>>();
  for (const file of files.filter((name) => name.startsWith("store/"))) {
    const folder = path.dirname(file);
    for (const target of targetsOf(SRC, file).filter((name) => name.startsWith("store/"))) {
      const used = path.dirname(target);
      if (used !== folder) uses.set(folder, (uses.get(folder) ?? new Set()).add(used));
    }
  }
  expect(uses.size).toBeGreaterThan(3);
  expectNoCircle(uses);
});

/** Paths that a file imports, as written: without an extension; `@/` is left out. */
function targetsOf(root: string, file: string): string[] {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  const matches = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+|@\/[^"]+)"/g)];
  return matches.map(([, target]) =>
    target!.startsWith("@/") ? target!.slice(2) : path.join(path.dirname(file), target!),
  );
}

function importsOf(root: string, file: string, modules: ReadonlySet<string>): string[] {
  return targetsOf(root, file).flatMap((target) =>
    [target, `${target}.ts`, `${target}.tsx`].filter((name) => modules.has(name)),
  );
}

/** @param uses what each node depends on */
function expectNoCircle(uses: ReadonlyMap<string, Iterable<string>>): void {
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    if (trail.includes(node)) throw new Error(`circle: ${[...trail, node].join(" > ")}`);
    if (done.has(node)) return;
    for (const used of uses.get(node) ?? []) visit(used, [...trail, node]);
    done.add(node);
  };
  for (const node of uses.keys()) visit(node, []);
}
