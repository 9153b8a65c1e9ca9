import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { aimsOf, type Figures } from "./aims";
import { aimLines } from "./aimTable";

/** Medians of the runs of 2026-11-28 on an H200 (docs/log/performance.md). */
const RECORDED: Figures = JSON.parse(fs.readFileSync("fixtures/bench/h200.json", "utf8"));

const aims = aimsOf(RECORDED);
const find = (what: string) => aims.find((aim) => aim.what.includes(what));

describe("the aims of a recorded run", () => {
  it.each([
    ["Llama-1.1B, a token at 1 000 rows", "40.2 %", false],
    ["Llama-1.1B, a token at 32 000 rows", "24.1 %", false],
    ["LLaVA-1.5-7B:q4, a token", "4.38 ×", false],
    ["SmolVLM-256M, a token", "2.75 ×", false],
    ["Llama-1.1B, attention of a layer", "16.3 µs", false],
    ["attention of layers above 16 MB", "9.3 %", false],
    ["Llama-1.1B, prefill", "22.3 TFLOP/s", true],
    ["keepsight-mini, prefill of 600 rows", "3.9 TFLOP/s", false],
    ["Llama-1.1B, compaction", "5.6 steps at 32000 rows", false],
    ["keepsight-mini, compaction", "5.1 steps at 32000 rows", false],
    ["SmolVLM-256M, cost of column sums", "261.9 % at 4000 rows", false],
    ["LLaVA-1.5-7B, batch 8, 2000 rows", "46.8 %: −16.4 % of −34.9 % predicted", false],
    ["LLaVA-1.5-7B, batch 1, 32000 rows", "97.6 %: −49.2 % of −50.3 % predicted", true],
    ["ONNX Runtime's time for a token", "4.50 × (keepsight-mini, 4000 rows)", true],
    ["its time for a prefill", "0.99 × (SmolVLM-256M, 600 rows)", false],
    ["PyTorch's logits", "4.1e-5, 0 other answers", true],
  ])("%s", (what, measured, isMet) => {
    expect(find(what)).toMatchObject({ measured: expect.stringContaining(measured), isMet });
  });

  it("prints a line for each, and how many are met", () => {
    const lines = aimLines(aims);
    expect(lines).toHaveLength(aims.length + 1);
    expect(lines[0]).toMatch(
      /^MISS {2}Llama-1\.1B, a token at 1 000 rows, of copy +≥ 60\.0 % +40\.2 %$/,
    );
    expect(lines.at(-1)).toBe("7 met, 18 missed, 2 not measured");
  });
});

it("names what was not measured", () => {
  const none = aimsOf({});
  expect(none.length).toBeGreaterThan(15);
  expect(none.every(({ measured, isMet }) => measured === undefined && isMet === undefined)).toBe(
    true,
  );
  expect(aimLines(none)[0]).toMatch(/^ {2}– .*not measured$/);
});

it("asks a software adapter for ratios alone", () => {
  const software = aimsOf({ ...RECORDED, adapter: { isFallback: true } });
  expect(software.some(({ aim }) => /µs|TFLOP/.test(aim))).toBe(false);
  expect(software.length).toBeLessThan(aims.length);
});

it("an answer that is not PyTorch's is a miss, however small the error", () => {
  const check = { variants: {}, prefillError: 1e-6, decodeError: 1e-6, wrong: ["tiny 40"] };
  const logits = aimsOf({ checks: [check] }).at(-3);
  expect(logits).toMatchObject({ measured: "1.0e-6, 1 other answers", isMet: false });
});

it("tells a person's two waits", () => {
  const waits = { ready: [3200, 5400, 3300], firstToken: [6100] };
  expect(aimsOf({ waits }).slice(-2)).toMatchObject([
    { measured: "3.3 s", isMet: true },
    { measured: "6.1 s", isMet: false },
  ]);
});
