import { expect, test } from "vitest";
import { createTracer } from "./trace";

const pools = (kv: number) => ({ weights: 1, kv, activations: 2, vision: 3 });

test("a trace holds a run's tokens and its cache, on a clock of its own", () => {
  const tracer = createTracer();
  tracer.record({ type: "memory", at: 500, pools: pools(8), fullKv: 0 });
  tracer.record({ type: "memory", at: 600, pools: pools(2), fullKv: 8, mark: "compact" });
  tracer.record({ type: "token", index: 0, id: 1, text: "a", ms: 90 });
  tracer.record({ type: "token", index: 1, id: 2, text: "b", ms: 10 });
  expect(tracer.trace(undefined)).toEqual({
    tokenMs: [90, 10],
    kv: [
      { at: 0, bytes: 8, fullBytes: 8 },
      { at: 100, bytes: 2, fullBytes: 8, mark: "compact" },
    ],
  });
});

test("lanes have their own tokens, and no cache of their own", () => {
  const tracer = createTracer();
  tracer.record({ type: "memory", at: 0, pools: pools(8), fullKv: 8 });
  tracer.record({ type: "token", index: 0, id: 1, text: "a", ms: 5, lane: 0 });
  tracer.record({ type: "token", index: 0, id: 1, text: "a", ms: 7, lane: 1 });
  expect(tracer.trace(1)).toEqual({ tokenMs: [7], kv: [] });
  expect(tracer.trace(2)).toEqual({ tokenMs: [], kv: [] });
});
