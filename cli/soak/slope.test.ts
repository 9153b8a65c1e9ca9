import { expect, it } from "vitest";
import { slopeOf } from "./slope";

/** Numbers in [−1, 1) from a linear congruential generator. */
function noise(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
const x = Array.from({ length: 150 }, (_, i) => 7 * i);

it("finds a leak in noise, and its size", () => {
  const y = noise(150, 3).map((value, i) => 50 + 0.02 * x[i]! + value);
  const { perUnit, margin, isFlat } = slopeOf(x, y);
  expect(Math.abs(perUnit - 0.02)).toBeLessThan(margin);
  expect(isFlat).toBe(false);
});

it("is flat about as often as it says where there is no leak", () => {
  const flat = Array.from({ length: 200 }, (_, seed) => slopeOf(x, noise(150, seed + 1)).isFlat);
  expect(flat.filter(Boolean).length).toBeGreaterThan(180);
});

it("is less sure where neighbours are alike", () => {
  const jumps = noise(150, 5);
  const smooth = jumps.map((_, i) => jumps[10 * Math.floor(i / 10)]!);
  expect(slopeOf(x, smooth).margin).toBeGreaterThan(2 * slopeOf(x, jumps).margin);
});

it("of a constant is zero exactly", () => {
  expect(slopeOf([1, 2, 3, 4], [5, 5, 5, 5])).toEqual({ perUnit: 0, margin: 0, isFlat: true });
});
