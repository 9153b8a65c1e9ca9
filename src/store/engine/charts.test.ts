import { expect, test } from "vitest";
import { result } from "../app/testing";
import { createCharts } from "./charts";

const pools = (kv: number) => ({ weights: 10, kv, reference: 0, activations: 0, vision: 0 });
const memory = (at: number, kv: number, mark?: "prefill" | "compact" | "end") =>
  ({
    type: "memory",
    at,
    pools: pools(kv),
    fullKv: 100,
    ...(mark ? { mark } : {}),
  }) as const;
const token = (index: number, ms: number) =>
  ({ type: "token", index, id: 0, text: "", ms }) as const;
const columns = (series: { view(): Float64Array[] }) =>
  series.view().map((column) => Array.from(column));

test("the clock counts work, not the pause between two questions", () => {
  let page = 70_000;
  const charts = createCharts(() => page);
  charts.startRun();
  page = 70_500;
  charts.record(memory(5_000, 1));
  charts.record(memory(6_000, 2));
  page = 700_000;
  charts.startRun();
  page = 700_250;
  charts.record(memory(606_000, 3));
  charts.record(memory(606_500, 4));
  const [seconds, kv] = columns(charts.memory);
  const expected = [0, 0.5, 1.5, 1.55, 1.8, 2.3];
  expect(seconds!.map((each) => Number(each.toFixed(9)))).toEqual(expected);
  expect(kv).toEqual([0, 1, 2, 2, 3, 4]);
});

test("marks stand where their sample stands", () => {
  const charts = createCharts(() => 0);
  charts.startRun();
  charts.record(memory(0, 1));
  charts.record(memory(2_000, 1, "prefill"));
  charts.record(memory(2_500, 1, "compact"));
  expect(charts.store.getState().marks).toEqual([{ at: 2, kind: "prefill" }]);
  charts.record(memory(3_000, 0.5, "compact"));
  expect(charts.store.getState().marks.at(-1)).toEqual({ at: 3, kind: "compact" });
  expect(charts.store.getState().reading).toEqual({ pools: pools(0.5), fullKv: 100 });
});

test("a run with the full cache becomes the reference of those after it", () => {
  const charts = createCharts();
  charts.startRun();
  for (const [index, ms] of [900, 40, 42].entries()) charts.record(token(index, ms));
  charts.finishRun(result({ retention: 1 }), [900, 40, 42]);
  expect(columns(charts.reference)).toEqual([
    [2, 3],
    [40, 42],
  ]);
  expect(charts.store.getState().fullMedianMs).toBe(41);
  expect(charts.store.getState().decodeMs).toBe(82);

  charts.startRun();
  for (const [index, ms] of [900, 30].entries()) charts.record(token(index, ms));
  charts.finishRun(result({ retention: 0.1 }));
  expect(columns(charts.tokens)).toEqual([[2], [30]]);
  expect(charts.store.getState().fullMedianMs).toBe(41);
});

test("the time of decoding is that of all tokens, however many the chart shows", () => {
  const charts = createCharts();
  charts.startRun();
  for (let index = 0; index < 3000; index++) charts.record(token(index, 2));
  charts.finishRun(result({ retention: 0.1 }));
  expect(charts.store.getState().decodeMs).toBe(2 * 2999);
});

test("a new conversation forgets the samples and keeps the reference", () => {
  const charts = createCharts();
  charts.startRun();
  charts.record(memory(0, 1));
  charts.record(token(1, 40));
  charts.finishRun(result({ retention: 1 }), [900, 40]);
  charts.reset();
  expect(charts.memory.length).toBe(0);
  expect(charts.tokens.length).toBe(0);
  expect(charts.reference.length).toBe(1);
  expect(charts.store.getState().reading).toBeUndefined();
});

test("who draws is called after samples and for nothing else", () => {
  const charts = createCharts();
  let calls = 0;
  const unsubscribe = charts.subscribe(() => {
    calls += 1;
  });
  charts.startRun();
  charts.record(memory(0, 1));
  charts.record(token(1, 40));
  expect(calls).toBe(3);
  charts.record({ type: "stage", stage: "decode", done: 0, total: 1 });
  charts.show("turns");
  expect(calls).toBe(3);
  unsubscribe();
  charts.reset();
  expect(calls).toBe(3);
});
