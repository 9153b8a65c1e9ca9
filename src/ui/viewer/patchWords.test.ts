import { describe, expect, test } from "vitest";
import type { ImageLayout, LayerReport } from "@/protocol/result";
import { heatOf } from "@/store/attention/heat";
import { patchesOf } from "../overlayGeometry";
import { NO_SINKS } from "./overlay";
import { describePatch, formatScore, placesOf } from "./patchWords";

const whole = { x: 0, y: 0, width: 1, height: 1 };
const tile = { firstPosition: 10, gridRows: 3, gridColumns: 4, box: whole };
const layout: ImageLayout = { image: "a", width: 40, height: 30, tiles: [tile] };
const patches = patchesOf(layout);
const kept = (...layers: readonly (readonly number[])[]): readonly LayerReport[] =>
  layers.map((each) => ({ rowsBefore: 30, rowsAfter: each.length, kept: each }));
const nothing = { heat: undefined, sinks: NO_SINKS };

describe("a patch", () => {
  const patch = patches[2]!;

  test("tells the layers that kept its row, counted from 1", () => {
    const say = (layers: readonly LayerReport[]) => describePatch(patch, layers, nothing);
    expect(say(kept([12], [], [12], [12], [12]))).toBe("Row 13 · kept by layers 1, 3–5");
    expect(say(kept([], [12]))).toBe("Row 13 · kept by layer 2");
    expect(say(kept([12], [12]))).toBe("Row 13 · kept by every layer");
    expect(say(kept([], []))).toBe("Row 13 · dropped by every layer");
  });

  test("tells its score in one layer, its rank over all, and that it is a sink", () => {
    const positions = patches.map(({ position }) => position);
    const scores = Float32Array.from(patches, (_, row) => row / 8);
    const readings = (layer: number | "all") => ({
      heat: heatOf({ positions, scores }, layer),
      sinks: new Set([12]),
    });
    const say = (layer: number | "all") => describePatch(patch, kept([]), readings(layer));
    expect(say(0)).toBe("Row 13 · dropped by every layer · score 0.25, 10th of 12 · sink");
    expect(say("all")).toBe("Row 13 · dropped by every layer · 10th of 12 by score · sink");
  });
});

test.each([
  [0.0123456, "0.0123"],
  [-12.345, "−12.3"],
  [0, "0"],
  [0.00065, "6.5e-4"],
  [123456, "1.2e+5"],
  [Number.POSITIVE_INFINITY, "∞"],
  [Number.NEGATIVE_INFINITY, "−∞"],
])("a score of %d is written %s", (score, text) => {
  expect(formatScore(score)).toBe(text);
});

test("places are counted from 1, name the tile where there are several, and skip other images", () => {
  expect(placesOf([15, 999, 10, 21], patches, layout, 2)).toEqual([
    "line 2, column 2",
    "line 1, column 1",
  ]);
  const cut = { ...layout, tiles: [tile, { ...tile, firstPosition: 40 }] };
  expect(placesOf([51], patchesOf(cut), cut, 2)).toEqual(["line 3, column 4 of tile 2"]);
});
