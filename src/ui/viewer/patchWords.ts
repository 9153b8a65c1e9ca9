import { texts } from "@/language/language";
import type { ImageLayout, LayerReport } from "@/protocol/result";
import type { Heat } from "@/store/attention/heat";
import { formatCount } from "@/text/format";
import { layersThatKept, type Patch } from "../overlayGeometry";

/** Further values of an image's rows besides the layers that kept them. */
export interface Readings {
  /** The policy's scores in the layer that is shown. */
  readonly heat: Heat | undefined;
  readonly sinks: ReadonlySet<number>;
}

/** `Row 143 · kept by layers 1–3, 5 · score 0.012, 14th of 576 · sink`; rows are counted from 1. */
export function describePatch(
  patch: Patch,
  layers: readonly LayerReport[],
  { heat, sinks }: Readings,
): string {
  const words = texts.viewer.patch;
  const parts = [
    words.row(patch.position + 1),
    keptBy(layersThatKept(layers, patch.position), layers),
  ];
  const rank = heat?.ranks.get(patch.position);
  if (heat && rank !== undefined) {
    const score = heat.scores?.get(patch.position);
    const place = words.rank(rank, formatCount(heat.ranks.size));
    parts.push(score === undefined ? words.byScore(place) : words.score(formatScore(score), place));
  }
  if (sinks.has(patch.position)) parts.push(words.sink);
  return parts.join(" · ");
}

function keptBy(kept: readonly number[], layers: readonly LayerReport[]): string {
  const words = texts.viewer.patch;
  if (kept.length === 0) return words.droppedByAll;
  if (kept.length === layers.length) return words.keptByAll;
  return words.keptBy(ranges(kept), kept.length);
}

/** Ascending layers, counted from 0, as counted from 1: `1–3, 5`. */
function ranges(layers: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const layer of layers) {
    const run = runs.at(-1);
    if (run && run.last === layer - 1) run.last = layer;
    else runs.push({ first: layer, last: layer });
  }
  return runs
    .map(({ first, last }) => (first === last ? `${first + 1}` : `${first + 1}–${last + 1}`))
    .join(", ");
}

/** Three digits that count; a row that had to be kept scores infinitely high. */
export function formatScore(score: number): string {
  const sign = score < 0 ? "−" : "";
  const size = Math.abs(score);
  if (size === Number.POSITIVE_INFINITY) return `${sign}∞`;
  const isPlain = size === 0 || (size >= 1e-3 && size < 1e4);
  return sign + (isPlain ? `${Number(size.toPrecision(3))}` : size.toExponential(1));
}

/** `line 6, column 23`, counted from 1, with the tile if the image was cut. */
function placeOf(patch: Patch, { tiles }: ImageLayout): string {
  const words = texts.viewer.patch;
  const place = words.place(patch.row + 1, patch.column + 1);
  return tiles.length > 1 ? words.ofTile(place, patch.tile + 1) : place;
}

/** Places of several rows, those of other images left out. */
export function placesOf(
  positions: readonly number[],
  patches: readonly Patch[],
  layout: ImageLayout,
  most: number,
): readonly string[] {
  const byPosition = new Map(patches.map((patch) => [patch.position, patch]));
  return positions
    .flatMap((position) => byPosition.get(position) ?? [])
    .slice(0, most)
    .map((patch) => placeOf(patch, layout));
}
