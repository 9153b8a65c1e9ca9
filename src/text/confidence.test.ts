import { expect, it } from "vitest";
import { answerConfidence } from "./confidence";

it("is the geometric mean or the least of the tokens' probabilities", () => {
  const logs = [0.5, 1, 0.125].map(Math.log);
  expect(answerConfidence(logs, "min")).toBeCloseTo(0.125);
  expect(answerConfidence(logs, "mean")).toBeCloseTo((0.5 * 0.125) ** (1 / 3));
  expect(answerConfidence([], "min")).toBe(1);
});
