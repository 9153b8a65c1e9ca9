import { expect, it } from "vitest";
import { rowsPerLayer } from "../../blocks/select";
import { planFor } from "../../plan";
import { madeUpInput, SMALL_PROMPT } from "../../reference/promptFixture";
import { resolveOptions } from "../../resolveOptions";
import { pyramidKv } from "./pyramidKv";

it("falls linearly with depth and keeps the exact total", () => {
  const options = { window: 2, beta: 10 };
  const spec = pyramidKv.taps(resolveOptions(pyramidKv, options));
  const input = madeUpInput(SMALL_PROMPT, spec, { retention: 0.3, scope: "prompt" });
  const rows = rowsPerLayer(input, planFor(pyramidKv, input, options));
  expect(rows).toEqual([32, 23, 13, 4]);
  expect(rows.reduce((a, b) => a + b, 0)).toBe(input.budget);
});
