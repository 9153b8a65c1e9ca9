import { expect, it } from "vitest";
import { modelCard } from "./card";

it("reads what a model was made for and below which probability it is unsure", () => {
  const confidence = { measure: "min", threshold: 0.4 };
  const keepsight = { purpose: "Reads pages.", confidence: { ...confidence, answers: 9 } };
  expect(modelCard({ keepsight })).toEqual({ purpose: "Reads pages.", confidence });
});

it.each([
  [{}, undefined],
  [{ keepsight: 3 }, undefined],
  [{ keepsight: { purpose: 3, confidence: { measure: "max", threshold: 0.5 } } }, {}],
  [{ keepsight: { confidence: { measure: "min", threshold: 2 } } }, {}],
  [{ keepsight: { confidence: null } }, {}],
])("ignores what it does not know in %j", (json, card) => {
  expect(modelCard(json as never)).toEqual(card);
});
