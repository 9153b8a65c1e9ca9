import { describe, expect, test } from "vitest";
import { result } from "../app/testing";
import { type Attempt, type Exchange, emptyConversation, withExchange } from "./conversation";
import { nextQueued, requeue } from "./queue";

const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;

function attempt(id: string, phase: "queued" | "done", comparison?: string): Attempt {
  return {
    id,
    settings,
    run: phase === "queued" ? { phase } : { phase, result: result() },
    ...(comparison === undefined ? {} : { comparison }),
  };
}

function conversation(...exchanges: readonly (readonly Attempt[])[]) {
  return exchanges
    .map((attempts, index): Exchange => ({ id: `e${index}`, images: [], question: "?", attempts }))
    .reduce(withExchange, emptyConversation("c", 0));
}

function next(...exchanges: readonly (readonly Attempt[])[]) {
  const found = nextQueued(conversation(...exchanges));
  return found && [found.exchange.id, ...found.attempts.map(({ id }) => id)];
}

describe("the next attempts to answer", () => {
  test("are the oldest that wait, one question at a time", () => {
    expect(
      next([attempt("a", "done")], [attempt("b", "queued")], [attempt("c", "queued")]),
    ).toEqual(["e1", "b"]);
    expect(next([attempt("a", "queued"), attempt("b", "queued")])).toEqual(["e0", "a"]);
    expect(next([attempt("a", "done")])).toBeUndefined();
  });

  test("of two comparisons under one question are the lanes of the first, then of the second", () => {
    const first = (phase: "queued" | "done") => [
      attempt("a", phase, "x"),
      attempt("b", phase, "x"),
    ];
    const second = [attempt("c", "queued", "y"), attempt("d", "queued", "y")];
    expect(next([...first("queued"), ...second])).toEqual(["e0", "a", "b"]);
    expect(next([...first("done"), ...second])).toEqual(["e0", "c", "d"]);
  });

  test("leave out the lanes that have ended, and answers of their own", () => {
    const lanes = [attempt("a", "done", "x"), attempt("b", "queued", "x")];
    expect(next([...lanes, attempt("c", "queued"), attempt("d", "queued", "x")])).toEqual([
      "e0",
      "b",
      "d",
    ]);
  });
});

test("a requeued attempt waits under its new settings, and nothing else changes", () => {
  const before = conversation([attempt("a", "done"), attempt("b", "done")]);
  const tenth = { ...settings, policy: "aircache", retention: 0.1 };
  const [exchange] = requeue(before, "b", tenth).exchanges;
  expect(exchange!.attempts).toEqual([
    before.exchanges[0]!.attempts[0],
    { id: "b", settings: tenth, run: { phase: "queued" } },
  ]);
});
