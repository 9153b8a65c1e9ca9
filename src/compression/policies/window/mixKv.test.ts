import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import type { Taps } from "../../taps/registry";
import { mixKv } from "./mixKv";

/** Votes for rows 0 and 1; the keys of rows 4 and 5 lie apart from the others. */
function taps(redundancy: number): Taps {
  return {
    window: recordedRows([[[5, 4, 1, 1, 1, 1, 0, 0]]]),
    keyStats: {
      keyNorm: recordedRows([[[1, 1, 1, 1, 1, 1, 1, 1]]]),
      valueNorm: recordedRows([[[1, 1, 1, 1, 1, 1, 1, 1]]]),
      keyCosine: recordedRows([[[0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.9, 0.9]]]),
      meanKeyNorm2: Float32Array.of(redundancy + (1 - redundancy) / 8),
    },
  };
}

it("follows the votes where keys differ, and diversity where they repeat themselves", () => {
  const keep = (redundancy: number) => {
    const input = handMade(taps(redundancy), { rows: 8, budget: 4 });
    return keptLists(planFor(mixKv, input, { window: 2, kernel: 1 }))[0]![0];
  };
  expect(keep(0)).toEqual([0, 1, 6, 7]);
  expect(keep(1)).toEqual([4, 5, 6, 7]);
});
