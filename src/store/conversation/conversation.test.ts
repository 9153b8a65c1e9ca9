import { describe, expect, test } from "vitest";
import type { CacheSettings } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { result } from "../app/testing";
import {
  attemptGroups,
  type ChatConversation,
  contextTokens,
  type Exchange,
  emptyConversation,
  otherModels,
  turnsUntil,
  withAttempt,
  withExchange,
  withRun,
} from "./conversation";
import type { Origin } from "./origin";
import { type Run, reduceRun, STARTED } from "./run";

const settings: CacheSettings = { policy: "full", retention: 1, scope: "visual", options: {} };

function exchange(id: string, images: readonly string[], ...runs: readonly Run[]): Exchange {
  const attempts = runs.map((run, index) => ({ id: `${id}.${index}`, settings, run }));
  return { id, images, question: `question ${id}`, attempts };
}

const done = (given: Partial<TurnResult>): Run => ({ phase: "done", result: result(given) });
const failed: Run = { phase: "failed", text: "", failure: { code: "badImage", message: "no" } };

function conversation(...exchanges: readonly Exchange[]): ChatConversation {
  return exchanges.reduce(withExchange, emptyConversation("c", 0));
}

describe("a run", () => {
  test("gathers text, tokens and stages, one entry per stage", () => {
    const run = [
      { type: "stage", stage: "vision", done: 1, total: 1 },
      { type: "stage", stage: "prefill", done: 256, total: 653 },
      { type: "stage", stage: "prefill", done: 653, total: 653 },
      { type: "token", index: 0, id: 5, text: "Hel", ms: 30 },
      { type: "token", index: 1, id: 6, text: "lo", ms: 30 },
    ] as const;
    expect(run.reduce<Run>(reduceRun, STARTED)).toEqual({
      phase: "running",
      text: "Hello",
      tokens: 2,
      stages: [
        { stage: "vision", done: 1, total: 1 },
        { stage: "prefill", done: 653, total: 653 },
      ],
    });
  });

  test("that has ended takes no more events", () => {
    const token = { type: "token", index: 0, id: 1, text: "late", ms: 1 } as const;
    expect(reduceRun(failed, token)).toBe(failed);
    expect(reduceRun({ phase: "queued" }, token)).toEqual({ phase: "queued" });
  });

  test("is replaced alone", () => {
    const before = conversation(
      exchange("a", [], done({})),
      exchange("b", [], { phase: "queued" }),
    );
    const after = withRun(before, "b.0", () => STARTED);
    expect(after.exchanges[1]!.attempts[0]!.run).toBe(STARTED);
    expect(after.exchanges[0]).toBe(before.exchanges[0]);
    expect(withRun(before, "gone", () => STARTED).exchanges).toEqual(before.exchanges);
  });
});

describe("the turns of a question", () => {
  test("carry the ids of every answer before it, and none of its own", () => {
    const chat = conversation(
      exchange("a", ["p"], done({ tokenIds: [1, 2] })),
      exchange("b", [], done({ tokenIds: [3] })),
    );
    expect(turnsUntil(chat, "b")).toEqual([
      { images: ["p"], question: "question a", answerIds: [1, 2] },
      { images: [], question: "question b" },
    ]);
  });

  test("skip a question without an answer, whose image moves on", () => {
    const chat = conversation(exchange("a", ["p"], failed), exchange("b", [], { phase: "queued" }));
    expect(turnsUntil(chat, "b")).toEqual([{ images: ["p"], question: "question b" }]);
  });

  test("go on from the latest answer to each question", () => {
    const first = exchange("a", ["p"], done({ tokenIds: [1] }));
    const chat = withAttempt(conversation(first, exchange("b", [], { phase: "queued" })), "a", {
      id: "again",
      settings,
      run: done({ tokenIds: [9] }),
    });
    expect(turnsUntil(chat, "b")[0]?.answerIds).toEqual([9]);
  });

  test("do not go on from an answer that was stopped before its first token", () => {
    const stopped = done({ answer: "", tokenIds: [], finish: "cancelled" });
    const first = exchange("a", ["p"], done({ tokenIds: [1] }), stopped);
    const chat = conversation(first, exchange("b", [], { phase: "queued" }));
    expect(turnsUntil(chat, "b")[0]?.answerIds).toEqual([1]);
    const none = conversation(
      exchange("a", ["p"], stopped),
      exchange("b", [], { phase: "queued" }),
    );
    expect(turnsUntil(none, "b")).toEqual([{ images: ["p"], question: "question b" }]);
  });

  test("go on from the first lane of a comparison that has an answer", () => {
    const lane = (id: string, run: Run) => ({ id, settings, run, comparison: "x" });
    const asked = exchange("a", ["p"], done({ tokenIds: [1] }));
    const chat = conversation(asked, exchange("b", [], { phase: "queued" }));
    const [two, three] = [done({ tokenIds: [2] }), done({ tokenIds: [3] })];
    const compared = withAttempt(chat, "a", lane("l0", two), lane("l1", three));
    expect(turnsUntil(compared, "b")[0]?.answerIds).toEqual([2]);
    expect(attemptGroups(compared.exchanges[0]!).map((group) => group.length)).toEqual([1, 2]);
    const failing = withAttempt(chat, "a", lane("l0", failed), lane("l1", three));
    expect(turnsUntil(failing, "b")[0]?.answerIds).toEqual([3]);
  });

  test("carry an answer of another model as its text", () => {
    const by = (model: string, run: Run): Run =>
      run.phase === "done" ? { ...run, origin: { model } as Origin } : run;
    const chat = conversation(
      exchange("a", ["p"], by("old", done({ answer: "Bread.", tokenIds: [1] }))),
      exchange("b", [], by("new", done({ answer: "Milk.", tokenIds: [2] }))),
      exchange("c", [], { phase: "queued" }),
    );
    const [first, second] = turnsUntil(chat, "c", "new");
    expect(first).toEqual({ images: ["p"], question: "question a", answerText: "Bread." });
    expect(second?.answerIds).toEqual([2]);
    expect(turnsUntil(chat, "c", "old")[0]?.answerIds).toEqual([1]);
    expect(otherModels(chat, "new")).toEqual(["old"]);
    expect(otherModels(chat, "third")).toEqual(["old", "new"]);
    const older = conversation(exchange("a", [], done({})), exchange("c", [], { phase: "queued" }));
    expect(otherModels(older, "new")).toEqual([]);
    expect(turnsUntil(older, "c", "new")[0]).toHaveProperty("answerIds");
  });

  test("of a question that is not there are an error", () => {
    expect(() => turnsUntil(conversation(), "a")).toThrow(RangeError);
  });
});

test("the context counts a prefilled conversation whole and an appended turn by its new rows", () => {
  const chat = conversation(
    exchange("a", ["p"], done({ appended: false, promptTokens: 600, tokenIds: [1, 2, 3] })),
    exchange("b", [], done({ appended: true, promptTokens: 20, tokenIds: [4, 5] })),
  );
  expect(contextTokens(chat)).toBe(600 + 3 + 20 + 2);
});

test("the conversation never goes on from an answer about an image with something hidden in it", () => {
  const hidden = { image: "p", patches: [] };
  const chat = withAttempt(
    conversation(
      exchange("a", ["p"], done({ answer: "A cat", retention: 1, tokenIds: [1] })),
      exchange("b", [], { phase: "queued" }),
    ),
    "a",
    { id: "without", settings, hidden, run: done({ answer: "A dog", tokenIds: [9] }) },
  );
  expect(turnsUntil(chat, "b")[0]?.answerIds).toEqual([1]);
});
