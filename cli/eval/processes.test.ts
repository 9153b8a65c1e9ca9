import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { recordsFile, shardArguments, shardFiles } from "./processes";
import { EvalRecords, type EvalSettings } from "./records";

const SETTINGS: EvalSettings = {
  model: "mini 00",
  lanes: ["full:1"],
  scope: "visual",
  options: {},
  kvType: "default",
  weightType: "default",
  maxNewTokens: 128,
};
const answered = (key: string) => ({ key, world: "card", expected: "1", lanes: [] });

it("what each process has answered becomes one file, once", () => {
  const json = path.join(fs.mkdtempSync(path.join(tmpdir(), "eval-")), "scores.json");
  for (const [index, key] of ["a", "b"].entries()) {
    const file = recordsFile({ json, shard: { index, of: 2 } });
    new EvalRecords(file, SETTINGS).add(answered(key));
  }
  const records = new EvalRecords(recordsFile({ json }), SETTINGS);
  records.add(answered("c"));
  expect(shardFiles(json)).toHaveLength(2);
  for (const _ of [1, 2]) records.absorb(shardFiles(json), SETTINGS);
  const lines = fs.readFileSync(`${json}.questions.jsonl`, "utf8").trim().split("\n");
  expect(lines.slice(1).map((line) => JSON.parse(line).key)).toEqual(["c", "a", "b"]);
  expect(() => records.absorb(shardFiles(json), { ...SETTINGS, kvType: "f32" })).toThrow(
    /other settings/,
  );
});

it("a process is told its shard and everything else, but not to start processes", () => {
  const others = ["--data", "pages", "--json", "scores.json"];
  const expected = [...others, "--shard", "1/4"];
  expect(shardArguments([...others, "--processes", "4"], 1, 4)).toEqual(expected);
  expect(shardArguments(["--processes", "4", ...others], 1, 4)).toEqual(expected);
  expect(shardArguments([...others, "--processes=4"], 1, 4)).toEqual(expected);
});
