import { expect, it } from "vitest";
import { forgetShares } from "./forgetShares";

it("averages each layer's dropped share of its candidates over prompts", () => {
  const layer = (rowsBefore: number, rowsAfter: number) => ({ rowsBefore, rowsAfter });
  const visual = { scope: "visual", promptTokens: 110, visualTokens: 100 } as const;
  const samples = [
    { ...visual, layers: [layer(110, 60), layer(110, 20)] },
    { ...visual, layers: [layer(110, 80), layer(110, 10)] },
  ];
  expect(forgetShares(samples)).toEqual([0.4, 0.95]);
  const whole = { scope: "prompt", promptTokens: 200, visualTokens: 100 } as const;
  expect(forgetShares([{ ...whole, layers: [layer(200, 50)] }])).toEqual([0.75]);
  expect(forgetShares([])).toEqual([]);
});
