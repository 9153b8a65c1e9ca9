import { expect, it } from "vitest";
import type { DecoderConfig, RopeScaling } from "../checkpoint/config";
import { rotaryAngles, rotaryFrequencies } from "./rotary";

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
