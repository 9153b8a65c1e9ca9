import { expect, it } from "vitest";
import { confidenceOf } from "./confidence";

const card = { confidence: { measure: "min", threshold: 0.4 } } as const;

it("is unsure below the model's own threshold", () => {
  const sure = confidenceOf({ logProbabilities: [Math.log(0.5), 0] }, card);
  expect(sure).toEqual({ probability: expect.closeTo(0.5), threshold: 0.4, isUnsure: false });
  expect(confidenceOf({ logProbabilities: [Math.log(0.3), 0] }, card)?.isUnsure).toBe(true);
});

it("says nothing of a model without a threshold, and of an answer without probabilities", () => {
  expect(confidenceOf({ logProbabilities: [-9] }, undefined)).toBeUndefined();
  expect(confidenceOf({ logProbabilities: [-9] }, { purpose: "Reads." })).toBeUndefined();
  expect(confidenceOf({ logProbabilities: [] }, card)).toBeUndefined();
  expect(confidenceOf({}, card)).toBeUndefined();
});
