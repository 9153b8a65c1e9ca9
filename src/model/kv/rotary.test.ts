import { expect, it } from "vitest";
import type { DecoderConfig } from "../checkpoint/config";
import type { RopeScaling } from "../checkpoint/ropeConfig";
import { axisAngles, rotaryAngles, rotaryAxes, rotaryFrequencies } from "./rotary";

const config = (ropeScaling: RopeScaling) =>
  ({ headDim: 8, ropeBase: 10000, ropeScaling }) as DecoderConfig;

it("rotates pair i by base^(-2i / headDim) per position", () => {
  const frequencies = rotaryFrequencies(config({ type: "default" }));
  expect([...frequencies]).toEqual([1, 0.1, 0.01, 0.001].map(Math.fround));
  const angles = rotaryAngles(frequencies, 3, 2);
  expect(angles.length).toBe(16);
  expect(angles[8]).toBeCloseTo(Math.cos(4), 6);
  expect(angles[11]).toBeCloseTo(Math.sin(0.4), 6);
});

it("gives every pair one of three axes", () => {
  const axes = (sections: readonly [number, number, number], isInterleaved: boolean) => [
    ...rotaryAxes({ headDim: 28, ropeAxes: { sections, isInterleaved } } as DecoderConfig)!,
  ];
  expect(axes([2, 7, 5], false)).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  expect(axes([6, 4, 4], true)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0]);
  expect(rotaryAxes({ headDim: 28 } as DecoderConfig)).toBeUndefined();
});

it("rotates by the position of each pair's axis", () => {
  const angles = axisAngles(Float32Array.of(1, 0.1), Uint8Array.of(2, 1), [[0, 5, 2]]);
  const expected = [Math.cos(2), Math.sin(2), Math.cos(0.5), Math.sin(0.5)];
  for (const [i, value] of expected.entries()) expect(angles[i]).toBeCloseTo(value, 6);
});

it("divides by the factor of a linear scaling", () => {
  const frequencies = rotaryFrequencies(config({ type: "linear", factor: 4 }));
  expect(frequencies[0]).toBe(0.25);
});

it("stretches long waves and keeps short ones with llama3 scaling", () => {
  const scaling = { type: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4 } as const;
  const [short, between, , long] = rotaryFrequencies(config({ ...scaling, originalContext: 128 }));
  expect(short).toBe(1);
  // 128 positions are 2.037 turns of 0.1 rad: (2.037 - 1) / 3 of it is kept.
  expect(between).toBeCloseTo(0.1 * (0.3457 + 0.6543 / 8), 5);
  expect(long).toBeCloseTo(0.001 / 8, 8);
});
