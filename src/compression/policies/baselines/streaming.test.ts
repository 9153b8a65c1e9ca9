import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { RowLedger } from "../../reference/decodeReference";
import { handMade, keptLists } from "../../reference/promptFixture";
import { resolveOptions } from "../../resolveOptions";
import { streaming } from "./streaming";

const input = handMade({}, { rows: 20, budget: 8 });
const options = resolveOptions(streaming, {});

it("keeps four sinks and the newest rows", () => {
  expect(keptLists(planFor(streaming, input))).toEqual([[[0, 1, 2, 3, 16, 17, 18, 19]]]);
});

it("slides its window while decoding and never grows", () => {
  const plan = planFor(streaming, input);
  const ledger = new RowLedger(streaming.decode!(input, plan, options), [plan.layers[0]!.keep[0]!]);
  for (let step = 0; step < 6; step++) ledger.step(20 + step, 21 + step);
  expect(ledger.layers[0]!.ids).toEqual([0, 1, 2, 3, 22, 23, 24, 25]);
});
