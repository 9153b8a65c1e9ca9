import { describe, expect, it } from "vitest";
import { integer } from "./options";
import { planFor } from "./plan";
import { handMade, keptLists, recordedRows } from "./reference/promptFixture";
import { type ScoreSpec, scorePolicy } from "./scorePolicy";

const own = [5, 1, 4, 2, 3, 0];
const lastRow = recordedRows([[own], [own]]);
const input = (budget: number) => handMade({ lastRow }, { rows: 6, layers: 2, budget });

const BASE = {
  id: "own",
  label: "Own",
  summary: "",
  taps: () => ({ lastRow: true }) as const,
  score: () => [Float64Array.from(own)],
};

function made(spec: Partial<ScoreSpec<Record<never, never>>>) {
  return scorePolicy({ ...BASE, options: {}, ...spec });
}

describe("a policy that scores", () => {
  it("keeps the best rows of each layer, the same number in all of them", () => {
    const plan = planFor(made({}), input(4));
    expect(keptLists(plan)).toEqual([[[0, 2]], [[0, 2]]]);
    expect([...plan.scores!.data]).toEqual([...own, ...own]);
  });

  it("shares the rows out as it says, unless the caller has settled them", () => {
    const policy = made({ budget: () => [1, 3] });
    expect(keptLists(planFor(policy, input(4)))).toEqual([[[0]], [[0, 2, 4]]]);
    const settled = { ...input(4), layerRows: [3, 1] };
    expect(keptLists(planFor(policy, settled))).toEqual([[[0, 2, 4]], [[0]]]);
  });

  it("keeps the newest candidates that have no score, then the best", () => {
    const short = made({ score: () => [Float64Array.from(own.slice(0, 4))] });
    expect(keptLists(planFor(short, input(6)))[0]).toEqual([[0, 4, 5]]);
    expect(keptLists(planFor(short, input(2)))[0]).toEqual([[5]]);
  });

  it("protects what its options sinks and recent say, or what it says itself", () => {
    const options = {
      sinks: integer("Sinks", "", [0, 4], 0),
      recent: integer("Recents", "", [0, 4], 0),
    };
    const policy = scorePolicy({ ...BASE, options });
    const plan = planFor(policy, input(6), { sinks: 2, recent: 1 });
    expect(keptLists(plan)[0]).toEqual([[0, 1, 5]]);
    const protecting = made({ protect: (_, { count }) => ({ first: 0, last: count - 1 }) });
    expect(keptLists(planFor(protecting, input(6)))[0]).toEqual([[0, 4, 5]]);
  });

  it("keeps the rows that it promises where it deviates from the budget", () => {
    const policy = made({ deviation: () => "One row, always.", deviantRows: () => [1, 1] });
    expect(keptLists(planFor(policy, input(6)))).toEqual([[[0]], [[0]]]);
  });
});
