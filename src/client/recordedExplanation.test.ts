import fs from "node:fs";
import { expect, it } from "vitest";
import { greedy } from "@/protocol/defaults";
import type { AskRequest } from "@/protocol/request";
import type { Explanation, TurnResult } from "@/protocol/result";
import type { Recording } from "./recording";
import { createScriptedEngine } from "./scriptedEngine";

const file = new URL("../../e2e/recordings/receipt.json", import.meta.url);
const recording: Recording = JSON.parse(fs.readFileSync(file, "utf8"));

function request(policy: string, explain: boolean): AskRequest {
  return {
    turns: [{ images: ["receipt"], question: "List the items." }],
    images: { receipt: new Blob() },
    settings: { policy, retention: 0.1, scope: "visual", options: {} },
    sampling: greedy(160),
    explain,
  };
}

const ask = (policy: string): Promise<TurnResult> =>
  createScriptedEngine(recording, 0).ask(request(policy, true));

function expectShapes({ attention, importance }: Explanation, result: TurnResult): void {
  const { positions, layers, steps, ends, cells } = attention!;
  expect([layers, steps]).toEqual([result.layers.length, result.tokenIds.length]);
  expect(positions).toHaveLength(result.visualTokens);
  expect(cells).toHaveLength(steps * layers * positions.length);
  expect(ends).toHaveLength(steps);
  expect(ends.every((end, i) => end >= (ends[i - 1] ?? 0))).toBe(true);
  expect(ends.at(-1)).toBe(result.answer.length);
  if (importance) expect(importance.scores).toHaveLength(layers * importance.positions.length);
}

it.each(["full", "aircache", "prefixkv"])("plays back what %s looked at", async (policy) => {
  const result = await ask(policy);
  const { attention, importance } = result.explanation!;
  expectShapes(result.explanation!, result);
  expect(importance === undefined).toBe(policy === "full");
  const { positions, layers, cells } = attention!;
  for (const [layer, { kept }] of result.layers.entries()) {
    const held = new Set(kept);
    const line = (step: number) => {
      const start = (step * layers + layer) * positions.length;
      return cells.subarray(start, start + positions.length);
    };
    // The prompt's last row saw all rows; what was dropped then is not looked at again.
    const looked = (cell: number, i: number) => cell > 0 && !held.has(positions[i]!);
    expect(line(0).some(looked)).toBe(policy !== "full");
    for (let step = 1; step < attention!.steps; step++) {
      expect(line(step).every((cell, i) => cell === 0 || held.has(positions[i]!))).toBe(true);
      const mass = line(step).reduce((sum, cell) => sum + (cell / 255) ** 2, 0);
      expect(mass).toBeLessThan(1.05);
    }
  }
});

it("shows a policy's kept rows ahead of the dropped ones", async () => {
  const { explanation, layers } = await ask("aircache");
  const { positions, scores } = explanation!.importance!;
  for (const [layer, { kept }] of layers.entries()) {
    const of = (position: number) =>
      scores[layer * positions.length + positions.indexOf(position)]!;
    const held = new Set(kept);
    const [inside, outside] = [true, false].map((is) =>
      positions.filter((p) => held.has(p) === is),
    );
    expect(Math.min(...inside!.map(of))).toBeGreaterThanOrEqual(Math.max(...outside!.map(of)));
  }
});

it("explains nothing that it was not asked to", async () => {
  const result = await createScriptedEngine(recording, 0).ask(request("full", false));
  expect(result.explanation).toBeUndefined();
});

it("cuts a stopped answer's explanation to the tokens that came", async () => {
  const engine = createScriptedEngine(recording, 0);
  const stopped = new Promise<void>((resolve) => {
    engine.subscribe((event) => {
      if (event.type === "token" && event.index === 4) void engine.cancel().then(resolve);
    });
  });
  const result = await engine.ask(request("full", true));
  await stopped;
  expect(result.finish).toBe("cancelled");
  expect(result.tokenIds).toHaveLength(5);
  const { steps, ends, cells, layers, positions } = result.explanation!.attention!;
  expect([steps, ends.length]).toEqual([5, 5]);
  expect(cells).toHaveLength(5 * layers * positions.length);
});
