import { expect, test } from "vitest";
import { createTimingsRecorder } from "./timings";

const pools = (kv: number) => ({ weights: 1, kv, reference: 0, activations: 2, vision: 3 });

test("timings hold a run's tokens and its cache, on a clock of their own", () => {
  const recorder = createTimingsRecorder();
  recorder.record({ type: "memory", at: 500, pools: pools(8), fullKv: 0 });
  recorder.record({ type: "memory", at: 600, pools: pools(2), fullKv: 8, mark: "compact" });
  recorder.record({ type: "token", index: 0, id: 1, text: "a", ms: 90 });
  recorder.record({ type: "token", index: 1, id: 2, text: "b", ms: 10 });
  expect(recorder.timings(undefined)).toEqual({
    tokenMs: [90, 10],
    kv: [
      { at: 0, bytes: 8, fullBytes: 8 },
      { at: 100, bytes: 2, fullBytes: 8, mark: "compact" },
    ],
  });
});

test("lanes have their own tokens, and no cache of their own", () => {
  const recorder = createTimingsRecorder();
  recorder.record({ type: "memory", at: 0, pools: pools(8), fullKv: 8 });
  recorder.record({ type: "token", index: 0, id: 1, text: "a", ms: 5, lane: 0 });
  recorder.record({ type: "token", index: 0, id: 1, text: "a", ms: 7, lane: 1 });
  expect(recorder.timings(1)).toEqual({ tokenMs: [7], kv: [] });
  expect(recorder.timings(2)).toEqual({ tokenMs: [], kv: [] });
});
