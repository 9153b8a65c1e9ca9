import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { planFor } from "@/compression/plan";
import {
  handMade,
  keptLists,
  madeUpInput,
  recordedRows,
  SMALL_PROMPT,
} from "@/compression/reference/promptFixture";
import { resolveOptions } from "@/compression/resolveOptions";
import { keyDiff } from "../docs/examples/keyDiff";

describe("the policy that the documentation adds", () => {
  it("is printed there as it stands", () => {
    const guide = readFileSync("docs/adding-a-policy.md", "utf8");
    expect(guide).toContain(readFileSync("docs/examples/keyDiff.ts", "utf8"));
  });

  it("obeys the contract without another line", () => {
    const spec = keyDiff.taps(resolveOptions(keyDiff, {}));
    for (const scope of ["visual", "prompt"] as const) {
      for (const retention of [0.01, 0.2, 0.7, 1]) {
        const input = madeUpInput(SMALL_PROMPT, spec, { retention, scope });
        const lists = keptLists(planFor(keyDiff, input, { blend: 0.5, protect: "ivc" }));
        const outside = input.rows - input.candidates.length;
        const total = lists.reduce((sum, [rows]) => sum + rows!.length - outside, 0);
        expect(total).toBe(input.budget);
      }
    }
  });

  it("keeps the keys that are unlike the mean", () => {
    const keyCosine = recordedRows([[[0.9, 0.2, 0.8, 0.1]]]);
    const one = recordedRows([[[1, 1, 1, 1]]]);
    const meanKeyNorm2 = Float32Array.of(0.5);
    const keyStats = { keyNorm: one, valueNorm: one, keyCosine, meanKeyNorm2 };
    const plan = planFor(keyDiff, handMade({ keyStats }, { rows: 4, budget: 2 }));
    expect(keptLists(plan)).toEqual([[[1, 3]]]);
  });
});
