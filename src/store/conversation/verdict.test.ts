import { describe, expect, test } from "vitest";
import { greedy } from "@/protocol/defaults";
import type { CacheSettings } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { result } from "../app/testing";
import type { Attempt, Exchange } from "./conversation";
import type { Origin } from "./origin";
import type { Run } from "./run";
import { agreesWithReference, fullReference, verdictOf } from "./verdict";

const settings: CacheSettings = { policy: "full", retention: 1, scope: "visual", options: {} };

function exchange(...runs: readonly Run[]): Exchange {
  const attempts = runs.map((run, index) => ({ id: `a.${index}`, settings, run }));
  return { id: "a", images: ["p"], question: "What?", attempts };
}

const done = (given: Partial<TurnResult>): Run => ({ phase: "done", result: result(given) });

test("an answer is compared with the full cache's answer to the same question, once there is one", () => {
  const full = done({ policy: "full", retention: 1, answer: "A cat" });
  const agrees = (reference: Run, answer: string) => {
    const run = done({ policy: "h2o", retention: 0.1, answer });
    const other = { id: "other", settings, run };
    const { attempts, ...asked } = exchange(reference);
    return agreesWithReference({ ...asked, attempts: [...attempts, other] }, other);
  };
  expect(agrees(full, "A cat ")).toBe(true);
  expect(agrees(full, "A dog")).toBe(false);
  expect(agrees(done({ retention: 0.5 }), "A dog")).toBeUndefined();
  expect(agrees(done({ retention: 1, finish: "cancelled" }), "A dog")).toBeUndefined();
});

test("an answer of another model, or sampled otherwise, is no reference", () => {
  const origin: Origin = {
    model: "m",
    elementType: "f16",
    kvType: "f16",
    versions: { weights: "sha256:1" },
    ...{ vendor: "", architecture: "", description: "", isFallback: true },
    sampling: greedy(8),
    startedAt: 1,
  };
  const verdict = (given: Partial<Origin>) => {
    const full: Run = {
      phase: "done",
      result: result({ answer: "Another." }),
      origin: { ...origin, ...given },
    };
    const layers = [{ rowsBefore: 9, rowsAfter: 3, kept: [] }];
    const run: Run = { phase: "done", result: result({ retention: 0.1, layers }), origin };
    const other: Attempt = { id: "x", settings: { ...settings, policy: "h2o" }, run };
    const asked = exchange(full);
    return verdictOf({ ...asked, attempts: [...asked.attempts, other] }, other, false)?.kind;
  };
  const newer = { startedAt: 2, versions: { keepsight: "2", ...origin.versions } };
  expect(verdict(newer)).toBe("differs");
  for (const given of [
    { model: "n" },
    { elementType: "q4" },
    { kvType: "q8" },
    { versions: { weights: "sha256:2" } },
    { sampling: greedy(9) },
    { sampling: { ...greedy(8), seed: 7, temperature: 1 } },
  ] satisfies Partial<Origin>[]) {
    expect(verdict(given), JSON.stringify(given)).toBe("missing");
  }
});

test("the full cache without rows of earlier turns is compared like any other", () => {
  const kvBytes = { before: 4, after: 3, peak: 4, end: 3, full: 4 };
  const reference = {
    result: result({ answer: "A dog" }),
    source: "prefill",
    peakBytes: 8,
  } as const;
  const capped = exchange(done({ answer: "A cat", kvBytes, appended: true, reference }));
  expect(verdictOf(capped, capped.attempts[0]!, false)).toEqual({
    kind: "differs",
    reference: "A dog",
  });
  const unasked = exchange(done({ answer: "A cat", kvBytes, appended: true }));
  expect(verdictOf(unasked, unasked.attempts[0]!, false)).toEqual({ kind: "missing", why: "off" });
  const other: Attempt = { id: "x", settings, run: done({ retention: 0.1 }) };
  expect(fullReference(unasked, other)).toBeUndefined();
  const missing = { missing: "cap" } as const;
  const prefilled = exchange(
    done({ answer: "A cat", kvBytes, appended: false, reference: missing }),
  );
  const verdict = verdictOf(prefilled, prefilled.attempts[0]!, false);
  expect(verdict).toEqual({ kind: "missing", why: "cap" });
});

describe("an answer about an image with something hidden in it", () => {
  const patches = [{ position: 7, box: { x: 0, y: 0, width: 0.5, height: 0.5 } }];
  const without = (answer: string): Attempt => ({
    id: "without",
    settings,
    hidden: { image: "p", patches },
    run: done({ answer, retention: 1, tokenIds: [9] }),
  });
  const whole = exchange(done({ answer: "A cat", retention: 1, tokenIds: [1] }));
  const asked = { ...whole, attempts: [...whole.attempts, without("A dog")] };

  test("is never the full cache's reference", () => {
    const other: Attempt = { id: "x", settings, run: done({ answer: "A cat", retention: 0.1 }) };
    expect(fullReference(asked, other)?.id).toBe(asked.attempts[0]!.id);
  });

  test("is compared with the answer about the whole image under the same settings", () => {
    expect(agreesWithReference(asked, asked.attempts[1]!)).toBe(false);
    expect(agreesWithReference(asked, without("A cat"))).toBe(true);
    const elsewhere = { ...without("A cat"), settings: { ...settings, policy: "h2o" } };
    expect(agreesWithReference(asked, elsewhere)).toBeUndefined();
    const appended = exchange(done({ answer: "A cat", appended: true }));
    expect(agreesWithReference(appended, without("A cat"))).toBeUndefined();
  });
});

test("an answer is compared with its own reference before any other", () => {
  const reference = { result: result({ answer: "12" }), source: "fork", peakBytes: 9 } as const;
  const own = done({ answer: "11", retention: 0.1, policy: "snapkv", reference });
  const asked = exchange(own, done({ answer: "11" }));
  const [compressed, full] = asked.attempts as [Attempt, Attempt];
  expect(fullReference(asked, compressed)).toMatchObject({
    settings: { policy: "full", retention: 1 },
    run: { result: { answer: "12" } },
  });
  expect(verdictOf(asked, compressed, false)).toEqual({ kind: "differs", reference: "12" });
  expect(verdictOf(asked, full, false)).toBeUndefined();
});

describe("an answer without a reference", () => {
  const dropped = [{ rowsBefore: 100, rowsAfter: 20, kept: [] }];
  const verdict = (given: Partial<TurnResult>, isRunning = false) => {
    const asked = exchange(done({ retention: 0.1, layers: dropped, ...given }));
    return verdictOf(asked, asked.attempts[0]!, isRunning);
  };

  test("says why it is not compared", () => {
    expect(verdict({})).toEqual({ kind: "missing", why: "off" });
    expect(verdict({}, true)).toEqual({ kind: "pending" });
    const reference = { missing: "cap" } as const;
    expect(verdict({ reference }, true)).toEqual({ kind: "pending" });
    expect(verdict({ reference })).toEqual({ kind: "missing", why: "cap" });
  });

  test("has no verdict if it was stopped or dropped nothing", () => {
    expect(verdict({ finish: "cancelled" })).toBeUndefined();
    expect(verdict({ retention: 1 })).toBeUndefined();
    expect(verdict({ layers: [{ rowsBefore: 9, rowsAfter: 9, kept: [] }] })).toBeUndefined();
    // A turn that dropped none of its own rows follows one that did.
    const appended = { appended: true, layers: [{ rowsBefore: 9, rowsAfter: 9, kept: [] }] };
    expect(verdict(appended)).toEqual({ kind: "missing", why: "off" });
  });
});
