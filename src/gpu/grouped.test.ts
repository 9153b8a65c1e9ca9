import { describe, expect, it } from "vitest";
import { dequantizeRows, groupedLayout, quantizeRows } from "./grouped";
import type { GroupedType } from "./kernels/common/dtype";
import { unpackBf16 } from "./packing";
import { randomFloats } from "./selfTest/reference";

const COLUMNS = 76;
/** f16 scales: the last code of a group may miss its largest weight by 255 × 2⁻¹¹ steps. */
const STEPS = 0.63;

describe.each(["q8g32", "q8g64", "q4g32", "q4g64", "q4g128"] as const)("%s", (type) => {
  const { bits, group } = groupedLayout(type, COLUMNS);
  const values = randomFloats(3 * COLUMNS, 1);
  const rounded = dequantizeRows(quantizeRows(values, COLUMNS, type), COLUMNS, type);

  it("is wrong by half a step of each group at most", () => {
    for (let row = 0; row < 3; row++) {
      for (let first = 0; first < COLUMNS; first += group) {
        const [from, to] = [first, Math.min(first + group, COLUMNS)].map((c) => row * COLUMNS + c);
        const weights = values.subarray(from, to);
        const step = (Math.max(...weights) - Math.min(...weights)) / (2 ** bits - 1);
        const errors = weights.map((weight, i) =>
          Math.abs(weight - (rounded[from! + i] as number)),
        );
        expect(Math.max(...errors)).toBeLessThan(STEPS * step + 2 ** -11);
      }
    }
  });

  it("rounds what it has rounded to the same", () => {
    const again = dequantizeRows(quantizeRows(rounded, COLUMNS, type), COLUMNS, type);
    const errors = again.map((weight, i) => Math.abs(weight - (rounded[i] as number)));
    expect(Math.max(...errors)).toBeLessThan(2 ** -10);
  });
});

it("holds a group of equal weights, and zeros", () => {
  const values = new Float32Array(64).fill(0.375, 32);
  expect(dequantizeRows(quantizeRows(values, 64, "q4g32"), 64, "q4g32")).toEqual(values);
});

it("reads codes from the lowest bits on, and scales in bf16", () => {
  const type: GroupedType = "q4g32bf16";
  const packed = new Uint32Array(groupedLayout(type, 32).words);
  packed[0] = 0x76543210;
  packed[3] = 0xf0000000;
  packed[4] = 0x3f00_4000; // 2 and 0.5 in bf16
  expect([...unpackBf16(packed.slice(4, 5))]).toEqual([2, 0.5]);
  const values = dequantizeRows(packed, 32, type);
  expect([...values.subarray(0, 8)]).toEqual([0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5]);
  expect(values[31]).toBe(30.5);
});
