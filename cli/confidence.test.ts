import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chooseThreshold, main, withCard } from "./confidence";

const answer = (isRight: boolean, ...probabilities: number[]) => {
  return { isRight, logProbabilities: probabilities.map(Math.log) };
};

describe("chooseThreshold", () => {
  it("separates by the least probability where the mean does not", () => {
    const right = Array.from({ length: 10 }, () => answer(true, 0.6, 0.6));
    const wrong = Array.from({ length: 10 }, () => answer(false, 0.4, 1));
    expect(chooseThreshold([...right, ...wrong])).toMatchObject({
      measure: "min",
      wrongMarked: 1,
      rightMarked: 0,
    });
  });

  it("marks at most a tenth of the right answers, however many wrong ones that leaves", () => {
    const right = Array.from({ length: 20 }, (_, i) => answer(true, (i + 1) / 20));
    const wrong = Array.from({ length: 20 }, (_, i) => answer(false, (i + 0.5) / 20));
    const { rightMarked, wrongMarked, threshold } = chooseThreshold([...right, ...wrong]);
    expect(rightMarked).toBeLessThanOrEqual(0.1);
    expect(wrongMarked).toBeCloseTo(0.15);
    expect(threshold).toBeGreaterThan(0.1);
  });
});

describe("npm run confidence", () => {
  let folder = "";
  let printed = "";
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(tmpdir(), "confidence-"));
    printed = "";
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      printed += text;
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    fs.rmSync(folder, { recursive: true });
  });

  it("reads both formats and writes the choice beside what the model says of itself", async () => {
    const page = (given: string, probability: number) =>
      JSON.stringify({
        image: "a.png",
        turns: [{ question: "?", answer: "1" }],
        generated: given,
        logProbabilities: [Math.log(probability)],
      });
    fs.writeFileSync(path.join(folder, "answers.jsonl"), `${page("1", 0.9)}\n${page("2", 0.3)}\n`);
    const lane = { lane: "full:1", answer: "7", logProbabilities: [Math.log(0.8)] };
    const asked = { key: "k", world: "w", expected: "7", lanes: [lane] };
    const file = path.join(folder, "s.json.questions.jsonl");
    fs.writeFileSync(file, `{"model":"m"}\n${JSON.stringify(asked)}\n`);
    const config = '{\n  "keepsight": {\n    "purpose": "Reads."\n  },\n  "a": 0.0\n}\n';
    fs.writeFileSync(path.join(folder, "config.json"), config);
    expect(await main([folder, file, "--write", folder])).toBe(0);
    expect(printed).toContain("3 answers, 1 of them wrong");
    expect(JSON.parse(fs.readFileSync(path.join(folder, "config.json"), "utf8"))).toEqual({
      a: 0,
      keepsight: {
        purpose: "Reads.",
        confidence: {
          measure: "mean",
          threshold: expect.closeTo(0.55),
          wrongMarked: 1,
          rightMarked: 0,
          answers: 3,
        },
      },
    });
  });

  it("finds the shipped threshold in the answers that it was chosen by, and it reaches the aim", async () => {
    const shipped = fs.readFileSync("public/models/keepsight-mini/config.json", "utf8");
    const { keepsight } = JSON.parse(shipped);
    const { confidence: _, ...others } = keepsight;
    fs.writeFileSync(path.join(folder, "config.json"), withCard(shipped, others));
    const answers = ["fixtures/confidence/validation", "fixtures/confidence/foreign"];
    expect(await main([...answers, "--write", folder])).toBe(0);
    expect(printed).not.toContain("not reached");
    const written = JSON.parse(fs.readFileSync(path.join(folder, "config.json"), "utf8"));
    expect(written.keepsight).toEqual(keepsight);
  });

  it("leaves the other fields as they are written", () => {
    const bare = '{\n  "a": 0.0,\n  "b": 1e-05\n}\n';
    const added = withCard(bare, { purpose: "One." });
    expect(added).toContain('  "a": 0.0,\n  "b": 1e-05\n}\n');
    expect(JSON.parse(added)).toEqual({ a: 0, b: 1e-5, keepsight: { purpose: "One." } });
    const again = withCard(added, { purpose: "Two.", confidence: { threshold: 0.5 } });
    expect(again).toContain('  "a": 0.0,');
    expect(JSON.parse(again).keepsight).toEqual({
      purpose: "Two.",
      confidence: { threshold: 0.5 },
    });
    expect(withCard(again, { purpose: "One." })).toBe(added);
  });

  it.each([
    [[], 2, /SOURCE/],
    [["no/such"], 1, /no\/such/],
  ] as const)("refuses %j with status %d", async (argv, exitCode, message) => {
    const failed = main(argv);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toMatchObject({ exitCode });
  });
});
