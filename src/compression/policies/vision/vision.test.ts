import { describe, expect, it } from "vitest";
import { coarser, gridBlocks } from "../../blocks/grid";
import { planFor } from "../../plan";
import { handMade, keptLists } from "../../reference/promptFixture";
import type { PlanInput, VisionTaps, VisualGrid } from "../../types";
import { divPrune, mostDiverse } from "./divPrune";
import { downsample } from "./downsample";
import { distinctRows, pixelPrune } from "./pixelPrune";
import { visionZip } from "./visionZip";
import { absorbed, zipped } from "./visionZipRows";

/** One word, an image of `visual` rows, two words. */
function around(visual: number, retention: number, vision: VisionTaps): PlanInput {
  const rows = visual + 3;
  const candidates = Uint32Array.from({ length: visual }, (_, i) => i + 1);
  const spans = [{ start: 1, end: visual + 1 }];
  const budget = Math.round(retention * visual) * 2;
  const prompt = { rows, layers: 2, visual: spans, textStart: visual + 1, candidates, budget };
  return { ...handMade({}, prompt), retention, vision };
}

const angles = (...degrees: readonly number[]) =>
  Float32Array.from(
    degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)]),
  );

describe("divprune", () => {
  it("starts at the loneliest row and goes on to the farthest", () => {
    // The nearest neighbours are 5, 5, 40, 15 and 15 degrees away.
    const features = angles(0, 5, 60, 100, 115);
    expect(mostDiverse(features, 2, 1)).toEqual([2]);
    // From 60 degrees the row at 0 is as far as that at 115 is: 60 against 55.
    expect(mostDiverse(features, 2, 2)).toEqual([0, 2]);
    expect(mostDiverse(features, 2, 3)).toEqual([0, 2, 4]);
  });

  it("rounds its share once, halves to the even count, and chooses once", () => {
    const data = angles(0, 5, 60, 100, 115);
    let reads = 0;
    const vision = {
      get features() {
        reads++;
        return { width: 2, data };
      },
    };
    expect(keptLists(planFor(divPrune, around(5, 0.5, vision)))[0]![0]).toHaveLength(2 + 3);
    expect(reads).toBe(1);
  });

  it("keeps the same rows in all layers, and the text", () => {
    const input = around(5, 0.4, { features: { width: 2, data: angles(0, 5, 60, 100, 115) } });
    const rows = [[0, 1, 3, 6, 7]];
    expect(keptLists(planFor(divPrune, input))).toEqual([rows, rows]);
  });
});

describe("visionzip", () => {
  it("merges what is not attended to into evenly spaced rows of it", () => {
    const attention = Float32Array.of(0, 9, 0, 0, 8, 0);
    // Rows 0, 2, 3, 5 are left; the targets are 0 and 3, the others lie nearer to 3 and to 0.
    const keys = angles(0, 45, 80, 90, 45, 10);
    const chosen = zipped(attention, keys, 2, [2, 2]);
    expect(chosen.keep).toEqual([0, 1, 3, 4]);
    expect([...absorbed(chosen, keys, 2)]).toEqual([-1, -1, 3, -1, -1, 0]);
  });

  it("writes merges as rows of the prompt", () => {
    const attention = Float32Array.of(1, 9, 1, 1);
    const keys = { width: 2, data: angles(0, 0, 0, 0) };
    const input = around(4, 0.5, { attention, keys, grids: [{ gridRows: 2, gridColumns: 2 }] });
    const { layers, addsFeatures } = planFor(visionZip, input, { contextual: 0.5 });
    expect(addsFeatures).toBe(true);
    expect(layers[1]!.keep.map((rows) => [...rows])).toEqual([[0, 1, 2, 5, 6]]);
    expect(layers[1]!.merge).toMatchObject({ rule: "mean" });
    const merge = layers[1]!.merge as { into: readonly Int32Array[] };
    expect([...merge.into[0]!]).toEqual([-1, -1, -1, 1, 1, -1, -1]);
  });
});

describe("visionzip where rows end lines", () => {
  const grids = [{ gridRows: 4, gridColumns: 3, endsLines: true }];
  // Patches are attended to from the last line on; rows that end lines have neither attention nor keys.
  const attention = Float32Array.from({ length: 12 }, (_, row) => (row % 3 === 2 ? 0 : row));
  const data = Float32Array.from({ length: 24 }, (_, i) => Number(i % 6 < 4));
  const planAt = (retention: number) =>
    planFor(visionZip, around(12, retention, { attention, keys: { width: 2, data }, grids }), {
      contextual: 0.34,
    });

  it("keeps those of lines with a kept patch, and merges none", () => {
    const plan = planAt(0.5);
    // Of six rows: two dominant patches, one contextual, and the ends of their lines.
    expect(keptLists(plan)[0]).toEqual([[0, 1, 3, 10, 11, 12, 13, 14]]);
    const { into } = plan.layers[0]!.merge as { into: readonly Int32Array[] };
    for (const end of [3, 6, 9, 12]) expect(into[0]![end]).toBe(-1);
    expect([...into[0]!].filter((row) => row === 1)).toHaveLength(5);
  });

  it("keeps no more rows than the share", () => {
    for (const retention of [0.2, 0.3, 0.6, 0.9]) {
      const visual = keptLists(planAt(retention))[0]![0]!.length - 3;
      expect(visual).toBeLessThanOrEqual(Math.round(retention * 12));
    }
  });
});

describe("pixelprune", () => {
  const firstEqual = Uint32Array.of(0, 0, 2, 0, 2, 5);

  it("drops duplicates alone, and only as many as the retention allows", () => {
    expect(distinctRows(firstEqual, 1)).toEqual([0, 2, 5]);
    expect(distinctRows(firstEqual, 4)).toEqual([0, 1, 2, 5]);
  });

  it("keeps more than the retention's share where the pixels differ", () => {
    const plan = planFor(pixelPrune, around(6, 0.17, { firstEqual }));
    expect(keptLists(plan)[0]).toEqual([[0, 1, 3, 6, 7, 8]]);
  });
});

describe("downsample", () => {
  const blocksAt = (grid: VisualGrid, share: number) => gridBlocks(grid, coarser(grid, share));

  it("cuts a grid into blocks of nearly equal sides", () => {
    const blocks = blocksAt({ gridRows: 4, gridColumns: 4 }, 0.25);
    expect(blocks).toEqual([
      [0, 1, 4, 5],
      [2, 3, 6, 7],
      [8, 9, 12, 13],
      [10, 11, 14, 15],
    ]);
    expect(blocksAt({ gridRows: 1, gridColumns: 6 }, 0.5)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  it("averages line ends by themselves", () => {
    expect(blocksAt({ gridRows: 2, gridColumns: 3, endsLines: true }, 0.25)).toEqual([
      [0, 1, 3, 4],
      [2, 5],
    ]);
  });

  it("merges a block into its middle row", () => {
    const plan = planFor(downsample, around(4, 0.5, { grids: [{ gridRows: 1, gridColumns: 4 }] }));
    expect(keptLists(plan)[0]).toEqual([[0, 2, 4, 5, 6]]);
    const merge = plan.layers[0]!.merge as { into: readonly Int32Array[] };
    expect([...merge.into[0]!]).toEqual([-1, 2, -1, 4, -1, -1, -1]);
  });

  it("has the encoder encode smaller tiles, or says that it averaged rows", () => {
    const grid = { gridRows: 3, gridColumns: 3, isScalable: true };
    const plan = planFor(downsample, around(9, 0.5, { grids: [grid] }), { by: "encoder" });
    expect(plan.smaller).toEqual([[2, 2]]);
    // Of the blocks 1 × 1, 1 × 2, 2 × 1 and 2 × 2 of the grid, one row behind the first word.
    expect(keptLists(plan)[0]).toEqual([[0, 1, 3, 7, 8, 10, 11]]);
    expect(plan.layers[0]!.merge).toBeUndefined();
    const wide = { gridRows: 2, gridColumns: 4, isScalable: true };
    const both = planFor(downsample, around(17, 0.5, { grids: [grid, wide] }), { by: "encoder" });
    expect(both.smaller).toEqual([
      [2, 2],
      [1, 4],
    ]);
    const fixed = { gridRows: 3, gridColumns: 3 };
    const averaged = planFor(downsample, around(9, 0.5, { grids: [fixed] }), { by: "encoder" });
    expect(averaged.smaller).toBeUndefined();
    expect(averaged.notices).toEqual([{ code: "rowsAveraged" }]);
    expect(averaged.layers).toEqual(planFor(downsample, around(9, 0.5, { grids: [fixed] })).layers);
  });
});
