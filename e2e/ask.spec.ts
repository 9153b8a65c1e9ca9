import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect } from "@playwright/test";
import type { AskDocument } from "../cli/ask/document";
import type { VerifyDocument } from "../cli/ask/verify";
import { test } from "./test";

const run = promisify(execFile);

async function ask(...argv: readonly string[]): Promise<AskDocument> {
  const args = ["cli/run.mjs", "ask", "--json", "-", ...argv];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as AskDocument;
}

const receipt = ["--image", "fixtures/images/receipt.png", "--prompt", "What is the total?"];
const TINY = ["--model", "public/models/tiny-smolvlm"];
const [LAYERS, KV_HEADS, HEAD_DIM, STEP] = [8, 2, 64, 64];
const capacity = (rows: number) => Math.ceil(rows / STEP) * STEP;

test("ask --compare keeps exactly the budget of every lane", async () => {
  const lanes = ["--compare", "aircache:0.5,prefixkv:0.2,elastic:0.1"];
  const document = await ask(...receipt, ...lanes, "--max-new-tokens", "12");
  const elementBytes = document.kvType === "f16" ? 2 : 4;
  const perCapacity = 2 * KV_HEADS * HEAD_DIM * elementBytes;
  expect(document.lanes).toHaveLength(3);
  for (const { policy, retention, result } of document.lanes!) {
    const turn = result!;
    expect(turn.visualTokens).toBe(576);
    const outside = turn.promptTokens - turn.visualTokens;
    const kept = turn.layers.reduce((sum, { rowsAfter }) => sum + rowsAfter, 0);
    expect(kept, policy).toBe(outside * LAYERS + Math.round(retention * 576 * LAYERS));
    for (const { kept: rows, rowsAfter, rowsBefore } of turn.layers) {
      expect(rowsBefore).toBe(turn.promptTokens);
      expect(rows).toHaveLength(rowsAfter);
      expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
    }
    const bytes = (read: (layer: { rowsAfter: number; rowsBefore: number }) => number) =>
      turn.layers.reduce((sum, layer) => sum + capacity(read(layer)) * perCapacity, 0);
    expect(turn.kvBytes.before, policy).toBe(bytes(({ rowsBefore }) => rowsBefore));
    expect(turn.kvBytes.after, policy).toBe(bytes(({ rowsAfter }) => rowsAfter));
    expect(turn.kvBytes.peak, policy).toBeGreaterThanOrEqual(turn.kvBytes.before);
    expect(turn.answer, policy).not.toBe("");
    expect(turn.tokenIds.length, policy).toBeGreaterThan(0);
  }
});

test("ask --verify finds PyTorch's prompt and answer about a shipped picture", async () => {
  const args = ["cli/run.mjs", "ask", "--verify", "--json", "-"];
  const directory = ["--model", "fixtures/families/qwen2.5-vl"];
  const { stdout } = await run(process.execPath, [...args, ...directory]);
  const { prompt, answer, same } = JSON.parse(stdout) as VerifyDocument;
  expect(prompt.here).toEqual(prompt.recorded);
  expect(answer.here).toEqual(answer.recorded);
  expect([answer.equal, same]).toEqual([24, true]);
});

test("ask --compare plans its peak first, keeps to it, and says which lane does not fit", async () => {
  const lanes = ["--compare", "full:1,aircache:0.1,prefixkv:0.5"];
  const document = await ask(...receipt, ...lanes, "--cap", "6", "--max-new-tokens", "12");
  const [full, small, large] = document.lanes!;
  expect(large).toMatchObject({ policy: "prefixkv", failure: { code: "capTooSmall" } });
  expect(large!.failure!.message).toMatch(
    /does not fit together with the others: 7\.\d+ MB of 6\.00 MB/,
  );
  // The forks of both others existed together with the cache that they were gathered from.
  const { before, after } = full!.result!.kvBytes;
  const planned = before + after + small!.result!.kvBytes.after;
  for (const { result } of [full!, small!]) {
    expect(result!.notes.plannedPeakBytes).toBe(planned);
    expect(Math.abs(result!.kvBytes.peak / planned - 1)).toBeLessThanOrEqual(0.05);
    expect(result!.kvBytes.peak).toBeLessThanOrEqual(6e6);
  }
  expect(full!.agreement).toBe(1);
});

test("ask ends with one sentence and its status on bad input", async () => {
  for (const [argv, code, sentence] of [
    [["--prompt", "x", "--image", "fixtures/images/receipt.png"], 2, /image/],
    [["--image", "fixtures/images/not-an-image.png", "--prompt", "x", ...TINY], 1, /image|picture/],
    [["--prompt", "x", "--model", "fixtures/images"], 1, /config\.json/],
  ] as const) {
    const failure = await ask(...argv).then(
      () => undefined,
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(failure?.code, argv.join(" ")).toBe(code);
    expect(failure?.stdout).toBe("");
    expect(failure?.stderr).toMatch(sentence);
  }
});

test("calibrate writes forget fractions that prefixkv then keeps to", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-"));
  const image = path.resolve("fixtures/vision/picture.png");
  const line = (question: string) => ({ image, turns: [{ question, answer: "" }] });
  fs.writeFileSync(
    path.join(folder, "questions.jsonl"),
    [line("What is shown?"), line("Describe the picture.")]
      .map((each) => JSON.stringify(each))
      .join("\n"),
  );
  const out = path.join(folder, "prefixkv.json");
  const argv = [
    "cli/run.mjs",
    "calibrate",
    "--data",
    folder,
    "--retention",
    "0.3",
    "--out",
    out,
    ...TINY,
  ];
  await run(process.execPath, argv);
  const { forget, samples } = JSON.parse(fs.readFileSync(out, "utf8"));
  expect(samples).toBe(2);
  expect(forget.reduce((a: number, b: number) => a + b, 0) / forget.length).toBeCloseTo(0.7, 2);

  const prompt = ["--image", image, "--prompt", "What is shown?", "--max-new-tokens", "2"];
  const settings = ["--policy", "prefixkv", "--retention", "0.3"];
  const config = ["--option", "search=config", "--option", `forget=@${out}`];
  const { turns } = await ask(...prompt, ...settings, ...config, ...TINY);
  const { layers, visualTokens } = turns[0]!;
  expect(layers.map(({ rowsBefore, rowsAfter }) => rowsBefore - rowsAfter)).toEqual(
    forget.map((share: number) => Math.round(share * visualTokens)),
  );
});
