import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { questionsOf, readDataset, readReferences, referenceKey } from "../shared/dataset";
import { parseEval } from "./command";
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
const ANSWERED = {
  key: "a",
  world: "card",
  expected: "1",
  lanes: [{ lane: "full:1", answer: "1" }],
};

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), "eval-"));
});

/** A data set of two cards and a chart, two questions each. */
function writeData(): void {
  const names = ["card-00.png", "card-01.png", "chart-00.png"];
  for (const name of names) fs.writeFileSync(path.join(folder, name), "");
  const turns = [1, 2].map((n) => ({ question: `Question ${n}?`, answer: `${n}` }));
  const lines = names.map((image) => JSON.stringify({ image, turns }));
  fs.writeFileSync(path.join(folder, "questions.jsonl"), `${lines.join("\n")}\n`);
}

describe("parseEval", () => {
  it("gives every turn a key of its own and its world by the file's name", () => {
    writeData();
    const { questions } = parseEval(["--data", folder]);
    expect(questions.map(({ world }) => world)).toEqual([
      ...["card", "card", "card", "card"],
      ...["chart", "chart"],
    ]);
    expect(new Set(questions.map(({ key }) => key)).size).toBe(6);
  });

  it("takes the worlds in equal parts under a limit", () => {
    writeData();
    const { questions } = parseEval(["--data", folder, "--limit", "3"]);
    expect(questions.map(({ world }) => world)).toEqual(["card", "card", "chart"]);
    expect(questionsOf(readDataset(folder), 5).map(({ world }) => world)).toEqual([
      ...["card", "card", "card"],
      ...["chart", "chart"],
    ]);
  });

  it("reads lanes, and gives --option to those of its --policy", () => {
    writeData();
    const { lanes } = parseEval([
      ...["--data", folder, "--policies", "full:1,prefixkv:0.5", "--policy", "prefixkv"],
      ...["--option", "search=exact"],
    ]);
    expect(lanes).toEqual([
      { policy: "full", retention: 1, scope: "visual", options: {} },
      { policy: "prefixkv", retention: 0.5, scope: "visual", options: { search: "exact" } },
    ]);
  });

  it("refuses images with the same name: their answers would be one", () => {
    const turns = [{ question: "Q?", answer: "1" }];
    for (const part of ["a", "b"]) {
      fs.mkdirSync(path.join(folder, part));
      fs.writeFileSync(path.join(folder, part, "x.png"), "");
    }
    const lines = ["a/x.png", "b/x.png"].map((image) => JSON.stringify({ image, turns }));
    fs.writeFileSync(path.join(folder, "questions.jsonl"), lines.join("\n"));
    expect(() => parseEval(["--data", folder])).toThrow(/Two images .* x\.png/);
  });

  it("reads the answers that lie beside the questions", () => {
    writeData();
    const line = { image: "card-00.png", turns: [{ question: "Q?" }], generated: "Weill" };
    fs.writeFileSync(path.join(folder, "answers.jsonl"), `${JSON.stringify(line)}\n`);
    const { references } = parseEval(["--data", folder]);
    expect(references.get(referenceKey("/elsewhere/card-00.png", "Q?"))).toBe("Weill");
    fs.appendFileSync(path.join(folder, "answers.jsonl"), "{}\n");
    expect(() => readReferences(path.join(folder, "answers.jsonl"))).toThrow(/Line 2/);
  });

  it.each([
    [["--limit", "1"], 2, /--data is missing/],
    [["--data", "no/such"], 1, /no\/such/],
    [["--data", "DATA", "--policies", "full:1,magic:0.5"], 2, /magic/],
    [["--data", "DATA", "--policies", "full:2"], 2, /policies/],
    [["--data", "DATA", "--model", "no/model"], 1, /no\/model/],
    [["--data", "DATA", "--reference", "no.jsonl"], 1, /no\.jsonl/],
    [["--data", "DATA", "--limit", "0"], 2, /limit/],
    [["--data", "DATA", "--processes", "2"], 2, /--json/],
    [["--data", "DATA", "--json", "x.json", "--shard", "2/2"], 2, /shard/],
    [["--data", "DATA", "--policies", "snapkv:0.1", "--option", "window=8"], 2, /no lane/],
    [["--unknown"], 2, /unknown/],
  ] as const)("refuses %j with status %d", (argv, exitCode, message) => {
    writeData();
    const given = argv.map((each) => (each === "DATA" ? folder : each));
    expect(() => parseEval(given)).toThrow(message);
    expect(() => parseEval(given)).toThrow(expect.objectContaining({ exitCode }));
  });
});

describe("EvalRecords", () => {
  it("goes on from what was answered, a line that was cut off left out", () => {
    const file = path.join(folder, "out.questions.jsonl");
    new EvalRecords(file, SETTINGS).add(ANSWERED);
    fs.appendFileSync(file, '{"key":"b","lan');
    const again = new EvalRecords(file, SETTINGS);
    expect(again.get("a")).toEqual(ANSWERED);
    expect(again.get("b")).toBeUndefined();
    again.add({ ...ANSWERED, key: "b" });
    expect(new EvalRecords(file, SETTINGS).get("b")).toEqual({ ...ANSWERED, key: "b" });
  });

  it("refuses a file of other settings", () => {
    const file = path.join(folder, "out.questions.jsonl");
    new EvalRecords(file, SETTINGS).add(ANSWERED);
    const other = { ...SETTINGS, lanes: ["full:1", "h2o:0.5"] };
    expect(() => new EvalRecords(file, other)).toThrow(/other settings/);
  });

  it("writes nothing without a file", () => {
    new EvalRecords(undefined, SETTINGS).add(ANSWERED);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
