import { expect, test } from "vitest";
import { KEEP_STEPS, KEEP_TICKS, percentOfPlace, placeOfPercent, stepPercent } from "./keepScale";

test("ticks lie at equal distances", () => {
  expect(KEEP_TICKS.map(placeOfPercent)).toEqual([0, 100, 200, 300, 400, 500]);
  expect(KEEP_STEPS).toBe(500);
});

test("every whole percent survives the way to the slider and back", () => {
  for (let percent = 1; percent <= 100; percent++) {
    expect(percentOfPlace(placeOfPercent(percent))).toBe(percent);
  }
});

test("keys walk the whole scale and stop at its ends", () => {
  const walked: number[] = [100];
  while (walked.at(-1) !== 1) walked.push(stepPercent(walked.at(-1)!, -1));
  expect(walked).toHaveLength(36);
  expect(walked).toContain(95);
  expect(walked).toContain(19);
  expect(stepPercent(1, -1)).toBe(1);
  expect(stepPercent(100, 1)).toBe(100);
  expect(stepPercent(19, 1)).toBe(20);
  expect(stepPercent(20, 1)).toBe(25);
  expect(stepPercent(23, -1)).toBe(20);
});
