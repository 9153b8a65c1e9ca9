import { expect, it } from "vitest";
import { unpackF16 } from "@/gpu/packing";
import { dequantizeAffine } from "./affine";

const numbers = (halves: Uint16Array<ArrayBuffer>) => [
  ...unpackF16(new Uint32Array(halves.buffer)),
];

it("takes codes of 4 bits from the lowest, with the scale and bias of their group", () => {
  const rows = {
    codes: Uint32Array.of(0x76543210, 0xfedcba98),
    scales: Float32Array.of(0.5, 2, -1, 1),
    biases: Float32Array.of(-1, 0, 0, 10),
  };
  expect(numbers(dequantizeAffine({ ...rows, group: 4, bits: 4 }))).toEqual([
    ...[-1, -0.5, 0, 0.5],
    ...[8, 10, 12, 14],
    ...[-8, -9, -10, -11],
    ...[22, 23, 24, 25],
  ]);
});

it("takes codes of 8 bits", () => {
  const rows = { codes: Uint32Array.of(0xff030201), scales: Float32Array.of(0.25) };
  const biases = Float32Array.of(-1);
  expect(numbers(dequantizeAffine({ ...rows, biases, group: 4, bits: 8 }))).toEqual([
    ...[-0.75, -0.5, -0.25, 62.75],
  ]);
});
