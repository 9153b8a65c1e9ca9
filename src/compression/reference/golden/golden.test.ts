import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runFixture } from "./run";

const FOLDER = "fixtures/kv-golden";
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

describe("recorded outputs of the authors' classes", () => {
  it.each(files)("%s", (name) => {
    const result = runFixture(JSON.parse(readFileSync(`${FOLDER}/${name}`, "utf8")));
    expect(result.differences).toEqual([]);
    expect(result.agrees).toBe(true);
  });
});
