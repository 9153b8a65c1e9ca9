import { expect, test } from "vitest";
import { result } from "@/store/app/testing";
import { type Attempt, emptyConversation } from "@/store/conversation/conversation";
import { latestAnswer, layerMeasures, promptLength } from "./latest";

const layers = [
  { rowsBefore: 200, rowsAfter: 50, kept: [] },
  { rowsBefore: 200, rowsAfter: 20, kept: [] },
];
const answered = (id: string, policy: string): Attempt => ({
  id,
  settings: { policy, retention: 0.1, scope: "visual", options: {} },
  run: { phase: "done", result: result({ policy, layers, answer: id }) },
});
const waiting: Attempt = { ...answered("waiting", "prefixkv"), run: { phase: "queued" } };
const conversation = {
  ...emptyConversation("c", 0),
  exchanges: [
    { id: "1", images: [], question: "First?", attempts: [answered("a", "prefixkv")] },
    { id: "2", images: [], question: "Next?", attempts: [answered("b", "full"), waiting] },
  ],
};

test("finds the newest answer, of a policy or of any", () => {
  expect(latestAnswer(conversation)?.result.answer).toBe("b");
  expect(latestAnswer(conversation, "prefixkv")).toMatchObject({ question: "First?" });
  expect(latestAnswer(conversation, "aircache")).toBeUndefined();
});

test("a prompt is as long as the newest row's position says, also after rows were dropped", () => {
  const layer = (kept: readonly number[]) => ({ rowsBefore: 9, rowsAfter: kept.length, kept });
  expect(promptLength([layer([0, 1, 5, 640]), layer([0, 1, 639])])).toBe(641);
  expect(promptLength([])).toBe(0);
});

test("tells of each layer what the engine told, and of measures only where they were noted", () => {
  const plain = layerMeasures(result({ layers }));
  expect(plain).toEqual([
    { name: "rows kept", values: ["50", "20"] },
    { name: "of its rows", values: ["25\u00a0%", "10\u00a0%"] },
  ]);
  const notes = { strength: [0.123, 0.5], skewness: [2.25], plannedPeakBytes: 9 };
  expect(layerMeasures(result({ layers, notes })).slice(2)).toEqual([
    { name: "strength", values: ["0.12", "0.50"] },
  ]);
});
