import { coarser, gridBlocks } from "../../blocks/grid";
import { choice } from "../../options";
import type { VisualGrid } from "../../types";
import { needVision, type VisualChoice, visionPolicy } from "../../visionPolicy";

/**
 * A coarser grid: the features of each block of rows are averaged before the prefill. A baseline, as
 * simple as it is hard to beat at the same number of rows; no paper.
 *
 * A grid of R × C rows becomes r × c: the largest with r · c ≤ retention · R · C and r / c nearest to
 * R / C. Block (i, j) has the rows ⌊iR / r⌋ … ⌊(i + 1)R / r⌋ − 1, columns alike; its mean stands at the
 * position of its middle row.
 *
 * `by: encoder` scales the tiles down instead, and encodes them again: S × S rows become s × s,
 * s = ⌊S · √retention⌋, each at the position of a block's middle row. The encoder's learned positions are those at the
 * same fractions of the image, as Idefics3 takes them (`Idefics3VisionEmbeddings` of `transformers`). For
 * encoders with square tiles and no class token whose rows are not arranged anew; others are averaged.
 */
export const downsample = visionPolicy({
  id: "downsample",
  label: "Downsampling",
  summary: "Averages neighbouring image rows to a coarser grid, before the prefill.",
  options: {
    by: choice("By", "encoder: encodes a smaller image, where the encoder takes one", [
      "rows",
      "encoder",
    ]),
  },
  beforePrefill: ["grids"],
  count:
    "A coarser grid rarely has exactly the retention's share: R × C rows become r × c, r · c ≤ retention · R · C. " +
    "With `by: encoder`, S × S become s × s, s = ⌊S · √retention⌋, at Idefics3's positions for smaller images.",
  choose(input, _, { by }) {
    const grids = needVision(input, "grids");
    const { retention } = input;
    const [{ gridRows }] = grids as readonly [VisualGrid];
    if (by === "encoder" && grids.every((grid) => grid.isScalable && grid.gridRows === gridRows)) {
      const tileSide = Math.max(1, Math.floor(gridRows * Math.sqrt(retention)));
      const { keep } = merged(grids, (grid) => gridBlocks(grid, [tileSide, tileSide]));
      return { keep, tileSide };
    }
    const choice = merged(grids, (grid) => gridBlocks(grid, coarser(grid, retention)));
    return by === "encoder" ? { ...choice, notices: [{ code: "rowsAveraged" }] } : choice;
  },
});

/** The middle row of each block, and the others merged into it. */
function merged(
  grids: readonly VisualGrid[],
  blocksOf: (grid: VisualGrid) => readonly number[][],
): VisualChoice {
  const into: number[] = [];
  const keep: number[] = [];
  for (const grid of grids) {
    const first = into.length;
    into.push(...new Array<number>(grid.gridRows * grid.gridColumns).fill(-1));
    for (const block of blocksOf(grid)) {
      const middle = first + (block[Math.floor(block.length / 2)] as number);
      for (const row of block) if (first + row !== middle) into[first + row] = middle;
      keep.push(middle);
    }
  }
  return { keep: keep.sort((a, b) => a - b), into: Int32Array.from(into) };
}
