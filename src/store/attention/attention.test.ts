import { describe, expect, test } from "vitest";
import type { AnswerAttention, LayerReport } from "@/protocol/result";
import { attendedRows, attentionOfRow, attentionOfSteps, lightOf, sinkRows } from "./attention";

const byte = (attention: number) => Math.round(255 * Math.sqrt(attention));

/** @param attention [steps][layers][positions], the rows beginning at position 10 */
function answerAttention(attention: readonly (readonly (readonly number[])[])[]): AnswerAttention {
  const rows = attention[0]![0]!.length;
  return {
    positions: Array.from({ length: rows }, (_, row) => 10 + row),
    layers: attention[0]!.length,
    steps: attention.length,
    ends: attention.map((_, step) => step + 1),
    cells: Uint8Array.from(attention.flat(2).map(byte)),
  };
}

const report = (kept: readonly number[]): LayerReport => ({
  rowsBefore: 40,
  rowsAfter: kept.length,
  kept,
});

test("a word's attention is the sum over its steps, of a layer or of the layers' mean", () => {
  const given = answerAttention([
    [
      [0.5, 0],
      [0.1, 0.3],
    ],
    [
      [0.25, 0.25],
      [0, 0],
    ],
  ]);
  const first = attentionOfSteps(given, [0, 1], 0);
  expect(first.get(10)).toBeCloseTo(0.75, 2);
  expect(first.get(11)).toBeCloseTo(0.25, 2);
  const all = attentionOfSteps(given, [0], "all");
  expect(all.get(10)).toBeCloseTo(0.3, 2);
  expect(all.get(11)).toBeCloseTo(0.15, 2);
  expect([...attentionOfSteps(given, [], 0).values()]).toEqual([0, 0]);
  expect(attentionOfRow(given, [0, 1], 0, 10)).toBeCloseTo(0.75, 2);
  expect(attentionOfRow(given, [0, 1], 1, 11)).toBeCloseTo(0.3, 2);
  expect(attentionOfRow(given, [0, 1], 2, 11)).toBe(0);
  expect(attentionOfRow(given, [0, 1], 0, 12)).toBe(0);
});

describe("sinks", () => {
  const rows = 40;
  /** Every step looks at row 0 and at one row of its own, with half of its attention each. */
  const steps = (count: number) =>
    answerAttention(
      Array.from({ length: count }, (_, step) => [
        Array.from({ length: rows }, (_, row) => (row === 0 || row === step + 1 ? 0.4 : 0.005)),
      ]),
    );
  const words = (count: number) => Array.from({ length: count }, (_, step) => [step]);

  test("are rows that get much whatever the word, not those that one word looks at", () => {
    expect([...sinkRows(steps(6), words(6), [], 0)]).toEqual([10]);
    expect([...sinkRows(steps(6), words(6), [], "all")]).toEqual([10]);
  });

  test("cannot be told from few words, however many steps they took", () => {
    expect(sinkRows(steps(2), words(2), [], 0).size).toBe(0);
    expect(sinkRows(steps(6), [[0, 1, 2, 3, 4, 5]], [], 0).size).toBe(0);
    expect(sinkRows(steps(2), [[0], [1], [], []], [], 0).size).toBe(0);
  });

  test("need not be looked at by every word", () => {
    const missing = [Array.from({ length: rows }, (_, row) => (row === 20 ? 0.4 : 0))] as const;
    const given = (count: number) =>
      answerAttention([
        ...Array.from({ length: count }, (_, step) => [
          Array.from({ length: rows }, (_, row) => (row === 0 || row === step + 1 ? 0.4 : 0)),
        ]),
        missing,
      ]);
    expect(sinkRows(given(3), words(4), [], 0).size).toBe(1);
    expect(sinkRows(given(2), words(3), [], 0).size).toBe(0);
  });

  test("are measured against the rows that the layer holds", () => {
    // Of six cached rows, each gets its uniform share: much of the whole, but no sink.
    const cached = [10, 11, 12, 13, 14, 15];
    const even = Array.from({ length: 5 }, () => [
      Array.from({ length: rows }, (_, row) => (row < 6 ? 0.16 : 0)),
    ]);
    expect(sinkRows(answerAttention(even), words(5), [report(cached)], 0).size).toBe(0);
    expect([...sinkRows(steps(6), words(6), [report([...cached, 20])], 0)]).toEqual([]);
  });
});

describe("light", () => {
  const attention = new Map([
    [10, 0.8],
    [11, 0.16],
    [12, 0.04],
    [13, 0],
    [14, 0.03],
  ]);

  test("is measured on the strongest row that is no sink", () => {
    const light = lightOf(attention, new Set([10]));
    expect(light.get(10)).toBe(1);
    expect(light.get(11)).toBe(1);
    expect(light.get(12)).toBeCloseTo(0.5, 9);
    expect(light.has(13)).toBe(false);
    expect(lightOf(attention, new Set()).get(11)).toBeCloseTo(Math.sqrt(0.2), 9);
  });

  test("of sinks alone still shows them", () => {
    expect([...lightOf(new Map([[10, 0.5]]), new Set([10]))]).toEqual([[10, 1]]);
  });

  test("a row was looked at from a quarter of the strongest on", () => {
    expect(attendedRows(attention, new Set([10]))).toEqual([11, 12]);
    expect(attendedRows(new Map([[10, 0]]), new Set())).toEqual([]);
  });
});
