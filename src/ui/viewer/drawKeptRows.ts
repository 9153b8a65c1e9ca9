import type { ImageLayout } from "@/protocol/result";
import { tokenColor } from "../color";
import { coverage, type Patch, patchesOf } from "../overlayGeometry";
import { drawWash, patchPixels, type Wash } from "./patchPixels";

/** Opacity of the tint over a patch that no layer kept: letters under it can still be read. */
const FULL_TINT = 0.5;
/** The hatch: its opacity where no layer kept a patch and where most did not; its distance in CSS pixels. */
const HATCH = { none: 0.5, most: 0.3, distance: 6 } as const;
/** A patch is outlined as kept if at least this share of the layers or heads kept it. */
const KEPT_SHARE = 0.5;

/** Inks of kept and dropped rows: visible on light and on dark images, whatever the theme. */
export interface KeptInk {
  readonly dropped: string;
  readonly kept: string;
  readonly halo: string;
}

export function keptInk(): KeptInk {
  const color = (token: string) => tokenColor(document.body, token);
  return { dropped: color("--dropped"), kept: color("--kept"), halo: color("--halo") };
}

/**
 * Tints dropped rows by the share that dropped them, outlines the regions that most kept, and hatches the others.
 * Where tiles overlap, the finer ones are hatched and outlined. The canvas holds nothing else.
 */
export function drawKeptRows(
  context: CanvasRenderingContext2D,
  layout: ImageLayout,
  share: ReadonlyMap<number, number>,
  ink: KeptInk,
): void {
  const patches = patchesOf(layout);
  const overlaps = coverage(layout);
  const fine =
    layout.tiles.length > 1 ? patches.filter(({ tile }) => !isOverview(layout, tile)) : patches;
  const kept = fine.filter(({ position }) => (share.get(position) ?? 0) >= KEPT_SHARE);
  const tint = droppedTint(share, ink.dropped);
  drawWash(context, patches, overlaps, tint);
  const none = fine.filter(({ position }) => !share.has(position));
  const most = fine.filter(({ position }) => (share.get(position) ?? 1) < KEPT_SHARE);
  hatch(context, none, ink, HATCH.none);
  hatch(context, most, ink, HATCH.most);
  if (kept.length === fine.length) return;
  drawRegions(context, kept, ink);
  drawWash(context, kept, 1, tint);
}

/** Whether a tile shows the whole image beside finer tiles. */
function isOverview({ tiles }: ImageLayout, tile: number): boolean {
  const box = tiles[tile]?.box;
  return box !== undefined && box.width >= 1 && box.height >= 1;
}

/**
 * Diagonal lines over patches, continuous from one to the next: each in the ink of dropped rows, with a fainter
 * light one beside it that is visible on dark images.
 */
function hatch(
  context: CanvasRenderingContext2D,
  patches: readonly Patch[],
  { dropped, halo }: KeptInk,
  opacity: number,
): void {
  context.save();
  context.beginPath();
  for (const { box } of patches) {
    const place = patchPixels(context.canvas, box);
    context.rect(place.left, place.top, place.width, place.height);
  }
  context.clip();
  context.lineWidth = devicePixelRatio;
  context.globalAlpha = opacity;
  drawDiagonals(context, dropped, 0);
  context.globalAlpha = opacity / 2;
  drawDiagonals(context, halo, HATCH.distance / 2);
  context.restore();
}

/** @param from where the first line begins, in CSS pixels */
function drawDiagonals(context: CanvasRenderingContext2D, color: string, from: number): void {
  const { width, height } = context.canvas;
  context.beginPath();
  for (
    let x = from * devicePixelRatio - height;
    x < width;
    x += HATCH.distance * devicePixelRatio
  ) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.strokeStyle = color;
  context.stroke();
}

/** The outline of regions of patches: each patch grown, then all of them cut out again. */
function drawRegions(
  context: CanvasRenderingContext2D,
  patches: readonly Patch[],
  { kept, halo }: KeptInk,
): void {
  const places = patches.map(({ box }) => patchPixels(context.canvas, box));
  for (const [color, size] of [
    [halo, 2.5],
    [kept, 1.5],
  ] as const) {
    const grown = size * devicePixelRatio;
    context.fillStyle = color;
    for (const { left, top, width, height } of places) {
      context.fillRect(left - grown, top - grown, width + 2 * grown, height + 2 * grown);
    }
  }
  for (const { left, top, width, height } of places) context.clearRect(left, top, width, height);
}

/** A share of 1 is transparent. */
function droppedTint(share: ReadonlyMap<number, number>, color: string): Wash {
  const dropped = (position: number) => 1 - Math.min(1, share.get(position) ?? 0);
  return { value: dropped, full: FULL_TINT, color };
}
