import { expect, test } from "vitest";
import { result } from "@/store/app/testing";
import type { Attempt } from "@/store/conversation/conversation";
import { answerMarkup } from "./exportAnswer";

test("says how many rows were prefilled, also if rows of earlier turns went in between", () => {
  const layers = [{ rowsBefore: 70, rowsAfter: 60, kept: [] }];
  const attempt: Attempt = {
    id: "a",
    settings: { policy: "snapkv", retention: 0.1, scope: "visual", options: {} },
    run: { phase: "done", result: result({ promptTokens: 130, layers }) },
  };
  const exchange = { id: "e", images: [], question: "What?", attempts: [attempt] };
  const { html } = answerMarkup(attempt, { policies: [], exchange, overlays: () => [] });
  expect(html).toMatch(/prefilled[^<]*<\/dt><dd>130</);
});
