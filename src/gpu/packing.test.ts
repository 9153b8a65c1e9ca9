import { expect, it } from "vitest";
import { packBf16, packF16, roundToF16, unpackBf16, unpackF16 } from "./packing";

const exact = Float32Array.of(0, 1, -1.5, 0.25, 1024, -0.015625);

it("keeps what 16 bits can hold", () => {
  expect(unpackF16(packF16(exact))).toEqual(exact);
  expect(unpackBf16(packBf16(exact))).toEqual(exact);
  // The smallest subnormal and the largest finite f16.
  const edges = Float32Array.of(2 ** -24, 65504);
  expect(unpackF16(packF16(edges))).toEqual(edges);
});

it("puts the first of two values into the lower half", () => {
  expect([...packF16(Float32Array.of(1, -2))]).toEqual([0xc0003c00]);
  expect([...packBf16(Float32Array.of(1, -2))]).toEqual([0xc0003f80]);
});

it("rounds bf16 to the nearest", () => {
  const [up, down] = [1 + 2 ** -8 + 2 ** -10, 1 + 2 ** -10];
  expect([...unpackBf16(packBf16(Float32Array.of(up, down)))]).toEqual([1 + 2 ** -7, 1]);
});

it("keeps in f16 what is no finite number", () => {
  const values = Float32Array.of(1e6, Number.NEGATIVE_INFINITY, Number.NaN, 1);
  const kept = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1];
  expect([...unpackF16(packF16(values))]).toEqual(kept);
});

it("rounds to the nearest f16, halves to even", () => {
  const [step, tiny] = [2 ** -10, 2 ** -24];
  const cases = [
    [1 + step / 2, 1],
    [1 + 1.5 * step, 1 + 2 * step],
    [-(1 + step * 0.51), -(1 + step)],
    [2 - step / 4, 2],
    [tiny * 0.5, 0],
    [tiny * 1.5, 2 * tiny],
    [2 ** -14 - tiny / 4, 2 ** -14],
    [65519, 65504],
  ];
  const halves = roundToF16(Float32Array.from(cases, ([value]) => value!));
  const words = new Uint32Array(halves.buffer);
  expect([...unpackF16(words)]).toEqual(cases.map(([, rounded]) => rounded));
  expect([...roundToF16(Float32Array.of(65520, -1e9, Number.NaN, -0))]).toEqual([
    ...[0x7c00, 0xfc00, 0x7e00, 0x8000],
  ]);
});
