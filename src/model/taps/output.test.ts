import { expect, it } from "vitest";
import { readScores, TapError } from "./output";
import type { TapContext } from "./tap";

const context = { geometry: { layers: 2, keys: 3, paddedKeys: 4 } } as TapContext;
const bytes = (values: readonly number[]) => Float32Array.from(values).buffer;

it("drops the padding and scales by layer and head", () => {
  const padded = [1, 2, 3, 9, 4, 5, 6, 9];
  const scores = readScores(context, bytes(padded), {
    name: "x",
    heads: 1,
    factor: (layer) => layer + 1,
  });
  expect(scores).toMatchObject({ layers: 2, heads: 1, rows: 3 });
  expect([...scores.data]).toEqual([1, 2, 3, 8, 10, 12]);
});

it("names tap and layer of a number that is not finite, and ignores padding", () => {
  const padded = [1, 2, 3, Number.NaN, 4, Number.POSITIVE_INFINITY, 6, 9];
  const read = () => readScores(context, bytes(padded), { name: "x", heads: 1 });
  expect(read).toThrow(new TapError("layer 1: the tap x holds Infinity"));
});
