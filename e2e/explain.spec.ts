import { expect, type Page } from "@playwright/test";
import { EnginePage, must } from "../cli/shared/enginePage";
import type { Explanation, TurnResult } from "../src/protocol/result";
import { test } from "./test";

const shown = { images: ["picture"], question: "What is shown in this image?" };
const then = { images: [], question: "And what else?" };

/** A small random model of 3 layers with 5 tiles of 16 rows per image. */
const [MODEL, LAYERS, VISUAL_ROWS] = ["models/tiny-smolvlm/", 3, 80];
const STEP = LAYERS * VISUAL_ROWS;

let engine: EnginePage;
let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  engine = await EnginePage.open(page);
  engine.addImage("picture", "fixtures/vision/picture.png");
  must(await engine.load(MODEL));
});

test.afterAll(() => page.close());

/** Checks shapes, and that no step's attention to the image exceeds 1. */
function expectAttention({ explanation, tokenIds, answer }: TurnResult): Uint8Array {
  const { positions, layers, steps, ends, cells } = explanation!.attention!;
  expect([positions.length, layers, steps]).toEqual([VISUAL_ROWS, LAYERS, tokenIds.length]);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
  expect([ends.length, ends.at(-1)]).toEqual([steps, answer.length]);
  expect(cells).toBeInstanceOf(Uint8Array);
  expect(cells).toHaveLength(steps * STEP);
  for (let line = 0; line < steps * LAYERS; line++) {
    const mass = cells
      .subarray(line * VISUAL_ROWS, (line + 1) * VISUAL_ROWS)
      .reduce((sum, cell) => sum + (cell / 255) ** 2, 0);
    expect(mass).toBeGreaterThan(0);
    expect(mass).toBeLessThan(1.02);
  }
  return cells;
}

function expectImportance(
  { importance }: Explanation,
  { layers }: Pick<TurnResult, "layers">,
): void {
  const { positions, scores } = importance!;
  expect(scores).toBeInstanceOf(Float32Array);
  expect(scores).toHaveLength(STEP);
  for (const [layer, { kept }] of layers.entries()) {
    const held = new Set(kept);
    const of = (is: boolean) =>
      positions.flatMap((p, i) => (held.has(p) === is ? [scores[layer * VISUAL_ROWS + i]!] : []));
    expect(Math.min(...of(true))).toBeGreaterThanOrEqual(Math.max(...of(false)));
  }
}

test("an answer and the next one say what they looked at", async () => {
  const settings = { policy: "aircache", retention: 0.25 };
  const first = must(await engine.ask({ turns: [shown], settings, explain: true }));
  expectAttention(first);
  expectImportance(first.explanation!, first);

  const turns = [{ ...shown, answerIds: first.tokenIds }, then];
  const next = must(await engine.ask({ turns, settings, explain: true }));
  expect(next.appended).toBe(true);
  expect(next.explanation!.importance).toBeUndefined();
  const { positions } = next.explanation!.attention!;
  const cells = expectAttention(next);
  expect(positions).toEqual(first.explanation!.attention!.positions);
  // The question's last row sees only the rows that were kept in the first turn.
  for (const [layer, { kept }] of first.layers.entries()) {
    const held = new Set(kept);
    const line = cells.subarray(layer * VISUAL_ROWS, (layer + 1) * VISUAL_ROWS);
    expect(positions.filter((p, i) => line[i]! > 0 && !held.has(p))).toEqual([]);
  }
});

test("a rule that evicts while decoding is followed", async () => {
  const settings = { policy: "h2o", retention: 0.3, scope: "prompt" as const };
  const result = must(await engine.ask({ turns: [shown], settings, explain: true, fresh: true }));
  expectAttention(result);
  const plain = must(await engine.ask({ turns: [shown], settings, fresh: true }));
  expect(plain.explanation).toBeUndefined();
  expect(plain.tokenIds).toEqual(result.tokenIds);
  expect(plain.kvBytes).toEqual(result.kvBytes);
});

test("lanes share the first look and part after it", async () => {
  const lanes = [
    { policy: "full", retention: 1 },
    { policy: "aircache", retention: 0.25 },
    { policy: "streaming", retention: 0.3, scope: "prompt" as const },
  ];
  const outcomes = must(await engine.compare({ turns: [shown], lanes, explain: true }));
  const results = outcomes.map(({ result }) => result!);
  const looks = results.map((result) => [...expectAttention(result).subarray(0, STEP)]);
  expect(looks[1]).toEqual(looks[0]);
  expect(looks[2]).toEqual(looks[0]);
  expect(looks[0]!.some((cell) => cell > 0)).toBe(true);
  expect(results.map(({ explanation }) => explanation!.importance !== undefined)).toEqual([
    false,
    true,
    false,
  ]);
  expectImportance(results[1]!.explanation!, results[1]!);
});

test("a stopped answer keeps what was recorded", async () => {
  const result = must(
    await engine.ask({
      turns: [shown],
      explain: true,
      fresh: true,
      sampling: { maxNewTokens: 200 },
      stopAt: { type: "token", count: 3 },
    }),
  );
  expect(result.finish).toBe("cancelled");
  expect(result.tokenIds).toHaveLength(3);
  expectAttention(result);
  expect((await engine.memory()).activations).toBeLessThan(64e6);
});
