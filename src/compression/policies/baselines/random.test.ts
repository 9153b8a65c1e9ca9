import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists } from "../../reference/promptFixture";
import { random } from "./random";

it("follows its seed, differs between heads, and keeps a recent window", () => {
  const input = handMade({}, { rows: 200, kvHeads: 2, budget: 100 });
  const [[first, second]] = keptLists(planFor(random, input)) as [[number[], number[]]];
  expect(first).not.toEqual(second);
  expect(first.slice(-10)).toEqual([190, 191, 192, 193, 194, 195, 196, 197, 198, 199]);
  expect(keptLists(planFor(random, { ...input, seed: 2 }))[0]![0]).not.toEqual(first);
});

it("chooses every row about equally often", () => {
  const hits = new Float64Array(20);
  for (let seed = 0; seed < 1000; seed++) {
    const input = { ...handMade({}, { rows: 20, budget: 10 }), seed };
    const options = { recentShare: 0 };
    for (const row of keptLists(planFor(random, input, options))[0]![0]!) hits[row]! += 1;
  }
  for (const count of hits) expect(Math.abs(count - 500)).toBeLessThan(80);
});
