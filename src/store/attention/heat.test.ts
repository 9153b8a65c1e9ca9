import { describe, expect, test } from "vitest";
import { heatOf, hottest } from "./heat";

const positions = Array.from({ length: 101 }, (_, row) => 6 + row);
const importance = (...layers: readonly (readonly number[])[]) => ({
  positions,
  scores: Float32Array.from(layers.flat()),
});
const rising = positions.map((_, row) => row);

describe("heat of a layer", () => {
  test("spreads the scores between the 1st and the 99th percentile by their square root", () => {
    const { values } = heatOf(importance(rising), 0);
    expect(values.get(6)).toBe(0);
    expect(values.get(6 + 100)).toBe(1);
    expect(values.get(6 + 50)).toBeCloseTo(Math.sqrt(49 / 98), 6);
  });

  test("does not go out because of one row that is far above the rest", () => {
    const { values } = heatOf(importance(rising.with(3, 1e6)), 0);
    expect(values.get(9)).toBe(1);
    expect(values.get(6 + 50)).toBeGreaterThan(0.6);
  });

  test("takes negative and infinite scores, and draws nothing where all are equal", () => {
    const { values } = heatOf(importance(rising.map((each) => each - 1000).with(3, Infinity)), 0);
    expect(values.get(9)).toBe(1);
    expect(values.get(6 + 100)).toBe(1);
    expect(
      Math.max(...heatOf(importance(rising.fill(2, 0, 0).map(() => 2)), 0).values.values()),
    ).toBe(0);
  });

  test("ranks rows by their own scores, ties together", () => {
    const { ranks, scores } = heatOf(importance(rising.with(98, 99)), 0);
    expect(ranks.get(6 + 100)).toBe(1);
    expect(ranks.get(6 + 99)).toBe(2);
    expect(ranks.get(6 + 98)).toBe(2);
    expect(ranks.get(6 + 97)).toBe(4);
    expect(scores!.get(6 + 97)).toBe(97);
  });
});

test("heat of all layers is the mean of their heats, whatever their units are", () => {
  const falling = rising.toReversed().map((each) => each * 1000);
  const { values, ranks, scores } = heatOf(importance(rising, falling), "all");
  expect(scores).toBeUndefined();
  expect(values.get(6)).toBeCloseTo(0.5, 6);
  expect(values.get(6 + 100)).toBeCloseTo(0.5, 6);
  expect(ranks.get(6 + 50)).toBe(1);
});

test("the hottest rows come best first", () => {
  const values = new Map([
    [1, 0.2],
    [2, 0],
    [3, 0.9],
    [4, 0.5],
  ]);
  expect(hottest(values, 2)).toEqual([3, 4]);
  expect(hottest(values, 9)).toEqual([3, 4, 1]);
});
