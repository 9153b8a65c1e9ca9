import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Site, serveSite } from "./site";

const NAMES = [
  "C++ & co",
  "a#b",
  "a?b",
  "100%",
  "a%20b",
  "a;b,c=d@e$f:g",
  "日本語 é",
  "it's [a] {b}",
];

let folder = "";
let site: Site;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(tmpdir(), "site-"));
  const mounts: Record<string, string> = {};
  for (const name of NAMES) {
    fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(folder, name, `${name}.json`), name);
    mounts[`-model/${encodeURIComponent(name)}`] = path.join(folder, name);
  }
  site = await serveSite({ ...mounts, all: folder });
});
afterAll(() => {
  site.close();
  fs.rmSync(folder, { recursive: true });
});

const read = async (address: string) => {
  const response = await fetch(new URL(address, site.url));
  return response.ok ? response.text() : response.status;
};

it.each(NAMES)("serves a folder and a file with the name %s", async (name) => {
  const encoded = encodeURIComponent(name);
  expect(await read(`-model/${encoded}/${encoded}.json`)).toBe(name);
  expect(await read(`all/${encoded}/${encoded}.json?again`)).toBe(name);
});

it("serves nothing outside of a folder", async () => {
  fs.writeFileSync(path.join(folder, "secret"), "x");
  const name = encodeURIComponent(NAMES[0] ?? "");
  expect(await read(`-model/${name}/..%2Fsecret`)).toBe(404);
  expect(await read(`-model/${name}/%2e%2e%2fsecret`)).toBe(404);
  expect(await read("all/%zz")).toBe(404);
});
