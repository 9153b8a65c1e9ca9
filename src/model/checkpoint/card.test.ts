import { expect, it } from "vitest";
import { modelCard } from "./card";

it("reads what a model was made for, and when an answer is unsure and an image familiar", () => {
  const confidence = { measure: "min", threshold: 0.4 };
  const keepsight = { purpose: "Reads pages.", confidence: { ...confidence, answers: 9 } };
  expect(modelCard({ keepsight: { ...keepsight, familiarBelow: 1.4 } })).toEqual({
    purpose: "Reads pages.",
    confidence,
    familiarBelow: 1.4,
  });
});

it.each([
  [{}, undefined],
  [{ keepsight: 3 }, undefined],
  [{ keepsight: { purpose: 3, confidence: { measure: "max", threshold: 0.5 } } }, {}],
  [{ keepsight: { confidence: { measure: "min", threshold: 2 } } }, {}],
  [{ keepsight: { confidence: null, familiarBelow: -1 } }, {}],
])("ignores what it does not know in %j", (json, card) => {
  expect(modelCard(json as never)).toEqual(card);
});
