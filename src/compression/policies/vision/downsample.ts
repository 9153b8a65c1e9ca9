import { coarser, gridBlocks } from "../../blocks/grid";
import { choice } from "../../options";
import type { SmallerGrid, VisualGrid } from "../../types";
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
 * same fractions of the image, as Idefics3 takes them (`Idefics3VisionEmbeddings` of `transformers`). Encoders of images
 * of any size (Qwen-VL) take the whole image at r × c rows, scaled by the model's own processor. Encoders with a class
 * token, and those whose rows are arranged anew, are averaged.
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
    "With `by: encoder`, S × S become s × s, s = ⌊S · √retention⌋, at Idefics3's positions for smaller images; Qwen-VL " +
    "takes r × c.",
  choose(input, _, { by }) {
    const grids = needVision(input, "grids");
    const { retention } = input;
    if (by === "encoder" && grids.every((grid) => grid.isScalable)) {
      const smaller = grids.map((grid) => scaledDown(grid, retention));
      const { keep } = merged(grids, (grid, i) => gridBlocks(grid, smaller[i] as SmallerGrid));
      return { keep, smaller };
    }
    const choice = merged(grids, (grid) => gridBlocks(grid, coarser(grid, retention)));
    return by === "encoder" ? { ...choice, notices: [{ code: "rowsAveraged" }] } : choice;
  },
});

/** Squares stay squares: an encoder's tiles are. */
function scaledDown(grid: VisualGrid, share: number): SmallerGrid {
  if (grid.gridRows !== grid.gridColumns) return coarser(grid, share);
  const side = Math.max(1, Math.floor(grid.gridRows * Math.sqrt(share)));
  return [side, side];
}

/** The middle row of each block, and the others merged into it. */
function merged(
  grids: readonly VisualGrid[],
  blocksOf: (grid: VisualGrid, place: number) => readonly number[][],
): VisualChoice {
  const into: number[] = [];
  const keep: number[] = [];
  for (const [place, grid] of grids.entries()) {
    const first = into.length;
    into.push(...new Array<number>(grid.gridRows * grid.gridColumns).fill(-1));
    for (const block of blocksOf(grid, place)) {
      const middle = first + (block[Math.floor(block.length / 2)] as number);
      for (const row of block) if (first + row !== middle) into[first + row] = middle;
      keep.push(middle);
    }
  }
  return { keep: keep.sort((a, b) => a - b), into: Int32Array.from(into) };
}
