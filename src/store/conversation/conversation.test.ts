import { describe, expect, test } from "vitest";
import type { CacheSettings, TurnResult } from "@/protocol/engine";
import { result } from "../app/testing";
import {
  type Attempt,
  agreesWithReference,
  attemptGroups,
  type ChatConversation,
  contextTokens,
  type Exchange,
  emptyConversation,
  fullReference,
  type Run,
  reduceRun,
  STARTED,
  turnsUntil,
  withAttempt,
  withExchange,
  withRun,
} from "./conversation";

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
  test("gathers text, tokens and phases, one entry per phase", () => {
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
      phases: [
        { phase: "vision", done: 1, total: 1 },
        { phase: "prefill", done: 653, total: 653 },
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

test("an answer is compared with the full cache's answer to the same question, once there is one", () => {
  const full = done({ policy: "full", retention: 1, answer: "A cat" });
  const agrees = (reference: Run, answer: string) => {
    const run = done({ policy: "h2o", retention: 0.1, answer });
    const other = { id: "other", settings, run };
    const { attempts, ...asked } = exchange("a", [], reference);
    return agreesWithReference({ ...asked, attempts: [...attempts, other] }, other);
  };
  expect(agrees(full, "A cat ")).toBe(true);
  expect(agrees(full, "A dog")).toBe(false);
  expect(agrees(done({ retention: 0.5 }), "A dog")).toBeUndefined();
  expect(agrees(done({ retention: 1, finish: "cancelled" }), "A dog")).toBeUndefined();
});

describe("an answer about an image with something hidden in it", () => {
  const patches = [{ position: 7, box: { x: 0, y: 0, width: 0.5, height: 0.5 } }];
  const without = (answer: string): Attempt => ({
    id: "without",
    settings,
    hidden: { image: "p", patches },
    run: done({ answer, retention: 1, tokenIds: [9] }),
  });
  const chat = withAttempt(
    conversation(
      exchange("a", ["p"], done({ answer: "A cat", retention: 1, tokenIds: [1] })),
      exchange("b", [], { phase: "queued" }),
    ),
    "a",
    without("A dog"),
  );
  const asked = chat.exchanges[0]!;

  test("is never the one that the conversation goes on from", () => {
    expect(turnsUntil(chat, "b")[0]?.answerIds).toEqual([1]);
  });

  test("is never the full cache's reference", () => {
    const other: Attempt = { id: "x", settings, run: done({ answer: "A cat", retention: 0.1 }) };
    expect(fullReference(asked, other)?.id).toBe(asked.attempts[0]!.id);
  });

  test("is compared with the answer about the whole image under the same settings", () => {
    expect(agreesWithReference(asked, asked.attempts[1]!)).toBe(false);
    expect(agreesWithReference(asked, without("A cat"))).toBe(true);
    const elsewhere = { ...without("A cat"), settings: { ...settings, policy: "h2o" } };
    expect(agreesWithReference(asked, elsewhere)).toBeUndefined();
    const appended = exchange("c", [], done({ answer: "A cat", appended: true }));
    expect(agreesWithReference(appended, without("A cat"))).toBeUndefined();
  });
});

test("an answer is compared with its own reference before any other", () => {
  const reference = { result: result({ answer: "12" }), source: "fork", peakBytes: 9 } as const;
  const own = done({ answer: "11", retention: 0.1, policy: "snapkv", reference });
  const chat = withAttempt(conversation(exchange("a", ["p"], own)), "a", {
    id: "full",
    settings,
    run: done({ answer: "11" }),
  });
  const [compressed, full] = chat.exchanges[0]!.attempts;
  expect(fullReference(chat.exchanges[0]!, compressed!)).toMatchObject({
    settings: { policy: "full", retention: 1 },
    run: { result: { answer: "12" } },
  });
  expect(agreesWithReference(chat.exchanges[0]!, compressed!)).toBe(false);
  expect(agreesWithReference(chat.exchanges[0]!, full!)).toBeUndefined();
});
