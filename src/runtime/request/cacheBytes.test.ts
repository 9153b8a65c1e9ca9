import { expect, test } from "vitest";
import { cacheBytes, comparisonPeakBytes, rowsAfter, tokensWithin } from "./cacheBytes";

const list = (length: number) => Uint32Array.from({ length }, (_, row) => row);
const peak = (planned: Omit<Parameters<typeof comparisonPeakBytes>[0], "rowBytes">) =>
  comparisonPeakBytes({ ...planned, rowBytes: 1 });
const layers = (rows: number) => [[rows], [rows]];

test("a plan's rows stand behind those of earlier turns, one list for all heads or one each", () => {
  const plan = { layers: [{ keep: [list(3)] }, { keep: [list(1), list(2)] }] };
  const before = [
    [10, 20],
    [0, 64],
  ];
  expect(rowsAfter(plan, before)).toEqual([
    [13, 23],
    [1, 66],
  ]);
  expect(cacheBytes(rowsAfter(plan, before), 2)).toBe(2 * (64 + 64 + 64 + 128));
});

test("a long prompt peaks while its forks stand beside the full cache", () => {
  // Full: 2 layers × 640 rows; lanes: a full copy and two of 64 rows per layer.
  const lanes = [layers(600), layers(60), layers(60)];
  expect(peak({ fullBytes: 1280, lanes, newTokens: 100 })).toBe(1280 + 1280 + 128 + 128);
});

test("a short prompt peaks while an answer grows beside the others", () => {
  const lanes = [layers(10), layers(5)];
  // The first has grown to 1024 rows per layer, and the second does, with one layer twice.
  expect(peak({ fullBytes: 128, lanes, newTokens: 1000 })).toBe(2048 + 2048 + 1024);
});

test("lanes that decode together grow together, one layer of theirs at a time", () => {
  const lanes = [layers(10), layers(5), layers(5)];
  expect(peak({ fullBytes: 128, lanes, newTokens: 1000, groups: [3] })).toBe(3 * 2048 + 1024);
  expect(peak({ fullBytes: 128, lanes, newTokens: 1000, groups: [2, 1] })).toBe(
    2 * 2048 + 1024 + 128,
  );
});

test("a lane under a cap may grow as far as its last block and one moving layer allow", () => {
  // 2 layers × 64 rows and one layer twice take 192; one block more takes 384.
  expect(tokensWithin(layers(60), 100, 1, 383)).toBe(4);
  expect(tokensWithin(layers(60), 100, 1, 384)).toBe(68);
  expect(tokensWithin(layers(60), 10, 1, 1e6)).toBe(10);
  expect(tokensWithin(layers(60), 10, 1, 100)).toBe(0);
});
