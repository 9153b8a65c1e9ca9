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

it("scales value norms and diversity to the votes' mean, weighted by the keys' redundancy", () => {
  const keyStats = {
    keyNorm: recordedRows([[[1, 1, 1, 1]]]),
    valueNorm: recordedRows([[[1, 3, 2, 9]]]), // scaled: 0, 1, ½; at a mean of 2: 0, 4, 2
    keyCosine: recordedRows([[[0.5, 0.1, 0.9, -1]]]), // scaled: ½, 1, 0; at a mean of 2: 2, 4, 0
    meanKeyNorm2: Float32Array.of(0.4375), // a mean cosine of ¼ over four keys
  };
  const window = recordedRows([[[4, 2, 0, 7]]]);
  const input = handMade({ window, keyStats }, { rows: 4, budget: 2 });
  const { scores } = planFor(mixKv, input, { window: 1, kernel: 1 });
  const expected = [0.75 * 4 + 0.25 * 2, 0.75 * (2 + 4) + 0.25 * 4, 0.75 * 2];
  for (const [row, score] of expected.entries()) expect(scores!.data[row]).toBeCloseTo(score, 6);
});

it("follows the votes where keys differ, and diversity where they repeat themselves", () => {
  const keep = (redundancy: number) => {
    const input = handMade(taps(redundancy), { rows: 8, budget: 4 });
    return keptLists(planFor(mixKv, input, { window: 2, kernel: 1 }))[0]![0];
  };
  expect(keep(0)).toEqual([0, 1, 6, 7]);
  expect(keep(1)).toEqual([4, 5, 6, 7]);
});
