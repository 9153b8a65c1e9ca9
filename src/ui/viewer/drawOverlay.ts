import type { ImageLayout } from "@/protocol/result";
import { tokenColor } from "../color";
import { coverage, overlayAlpha, type Patch, type PatchBox, patchesOf } from "../overlayGeometry";
import type { Overlay, Paint } from "./overlay";

/** Opacity of the tint over a patch that no layer kept: letters under it can still be read. */
const FULL_TINT = 0.5;
/** Opacity and distance of the hatch over such a patch, in CSS pixels. */
const HATCH = { opacity: 0.5, distance: 6 } as const;
/** A patch is outlined as kept if at least this share of the layers or heads kept it. */
const KEPT_SHARE = 0.5;
/** Opacity of the accent over the patch that was ranked highest: what is under it can still be read. */
const FULL_HEAT = 0.7;
/** Opacities of the shade at no attention and of the accent at the strongest attention. */
const FULL_SHADE = 0.66;
const FULL_LIGHT = 0.4;

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

export interface OverlayInk extends KeptInk {
  readonly overlay: string;
  readonly accent: string;
  readonly warn: string;
  readonly mark: string;
  readonly surface: string;
}

export interface Outline {
  readonly box: PatchBox;
  readonly color: string;
  /** In CSS pixels. */
  readonly width: number;
}

/** Draws an overlay over an image, in device pixels; the canvas covers the image. */
export function drawOverlay(
  canvas: HTMLCanvasElement,
  layout: ImageLayout,
  { paint, sinks, hidden }: Overlay,
  ink: OverlayInk,
): void {
  const context = prepared(canvas);
  if (!context) return;
  const patches = patchesOf(layout);
  if (paint?.kind === "kept") drawKeptRows(context, layout, paint.share, ink);
  else if (paint)
    for (const each of washes(paint, ink)) wash(context, patches, coverage(layout), each);
  for (const box of hidden) drawHidden(context, box, ink);
  if (!paint) return;
  for (const patch of patches) {
    if (sinks.has(patch.position)) drawSink(context, patch.box, ink);
    if (paint.kind === "word" && paint.missed.has(patch.position)) {
      drawOutline(context, { box: patch.box, color: ink.warn, width: 2 });
    }
  }
}

/**
 * Tints dropped rows by the share that dropped them, hatches those that nobody kept, and outlines the regions
 * that most kept. Where tiles overlap, the finer ones are hatched and outlined. The canvas holds nothing else.
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
  wash(context, patches, overlaps, tint);
  hatch(
    context,
    fine.filter(({ position }) => !share.has(position)),
    ink.dropped,
  );
  if (kept.length === fine.length) return;
  drawRegions(context, kept, ink);
  wash(context, kept, 1, tint);
}

/** Whether a tile shows the whole image beside finer tiles. */
function isOverview({ tiles }: ImageLayout, tile: number): boolean {
  const box = tiles[tile]?.box;
  return box !== undefined && box.width >= 1 && box.height >= 1;
}

/** Diagonal lines over patches, continuous from one to the next. */
function hatch(context: CanvasRenderingContext2D, patches: readonly Patch[], color: string): void {
  const { width, height } = context.canvas;
  context.save();
  context.beginPath();
  for (const { box } of patches) {
    const place = pixels(context.canvas, box);
    context.rect(place.left, place.top, place.width, place.height);
  }
  context.clip();
  context.beginPath();
  for (let x = -height; x < width; x += HATCH.distance * devicePixelRatio) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.strokeStyle = color;
  context.globalAlpha = HATCH.opacity;
  context.lineWidth = devicePixelRatio;
  context.stroke();
  context.restore();
}

/** The outline of regions of patches: each patch grown, then all of them cut out again. */
function drawRegions(
  context: CanvasRenderingContext2D,
  patches: readonly Patch[],
  { kept, halo }: KeptInk,
): void {
  const places = patches.map(({ box }) => pixels(context.canvas, box));
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

/** Draws outlines of single patches on a separate canvas. */
export function drawOutlines(canvas: HTMLCanvasElement, outlines: readonly Outline[]): void {
  const context = prepared(canvas);
  if (!context) return;
  for (const outline of outlines) drawOutline(context, outline);
}

/** Draws one colour over every patch, with the patch's value as opacity. */
interface Wash {
  /** In [0, 1] by position. */
  readonly value: (position: number) => number;
  readonly full: number;
  readonly color: string;
}

function washes(
  paint: Exclude<Paint, { kind: "kept" }>,
  { overlay, accent }: OverlayInk,
): readonly Wash[] {
  switch (paint.kind) {
    case "heat":
      return [{ value: (at) => paint.heat.get(at) ?? 0, full: FULL_HEAT, color: accent }];
    case "word": {
      const light = (position: number) => paint.light.get(position) ?? 0;
      return [
        { value: (position) => 1 - light(position), full: FULL_SHADE, color: overlay },
        { value: light, full: FULL_LIGHT, color: accent },
      ];
    }
    default:
      return paint satisfies never;
  }
}

/** A share of 1 is transparent. */
function droppedTint(share: ReadonlyMap<number, number>, color: string): Wash {
  const dropped = (position: number) => 1 - Math.min(1, share.get(position) ?? 0);
  return { value: dropped, full: FULL_TINT, color };
}

function wash(
  context: CanvasRenderingContext2D,
  patches: readonly Patch[],
  overlaps: number,
  { value, full, color }: Wash,
): void {
  context.fillStyle = color;
  for (const { position, box } of patches) {
    const alpha = overlayAlpha(1 - value(position), overlaps, full);
    if (alpha < 0.002) continue;
    context.globalAlpha = alpha;
    const { left, top, width, height } = pixels(context.canvas, box);
    context.fillRect(left, top, width, height);
  }
  context.globalAlpha = 1;
}

/** A small lozenge in the middle of the patch, readable on light and dark. */
function drawSink(context: CanvasRenderingContext2D, box: PatchBox, ink: OverlayInk): void {
  const { left, top, width, height } = pixels(context.canvas, box);
  const [x, y] = [left + width / 2, top + height / 2];
  const half = Math.max(2, Math.min(5 * devicePixelRatio, 0.3 * Math.min(width, height)));
  context.beginPath();
  context.moveTo(x, y - half);
  context.lineTo(x + half, y);
  context.lineTo(x, y + half);
  context.lineTo(x - half, y);
  context.closePath();
  context.fillStyle = ink.surface;
  context.strokeStyle = ink.mark;
  context.lineWidth = devicePixelRatio;
  context.fill();
  context.stroke();
}

/** Covered and crossed out: these pixels were hidden from the shown answer. */
function drawHidden(context: CanvasRenderingContext2D, box: PatchBox, ink: OverlayInk): void {
  const { left, top, width, height } = pixels(context.canvas, box);
  context.fillStyle = ink.overlay;
  context.fillRect(left, top, width, height);
  context.strokeStyle = ink.mark;
  context.lineWidth = devicePixelRatio;
  context.beginPath();
  context.rect(left + 0.5, top + 0.5, width - 1, height - 1);
  context.moveTo(left, top + height);
  context.lineTo(left + width, top);
  context.stroke();
}

function drawOutline(
  context: CanvasRenderingContext2D,
  { box, color, width: line }: Outline,
): void {
  const { left, top, width, height } = pixels(context.canvas, box);
  context.strokeStyle = color;
  context.lineWidth = line * devicePixelRatio;
  context.strokeRect(left, top, width, height);
}

/** The canvas at its size on the screen, empty. */
function prepared(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
  canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
  return canvas.getContext("2d");
}

/** Whole pixels, so that neighbours neither overlap nor leave a hairline. */
function pixels(canvas: HTMLCanvasElement, box: PatchBox) {
  const left = snap(box.x * canvas.width);
  const top = snap(box.y * canvas.height);
  return {
    left,
    top,
    width: snap((box.x + box.width) * canvas.width) - left,
    height: snap((box.y + box.height) * canvas.height) - top,
  };
}

/** Rounds so that two ways of computing one edge, an ulp apart, agree at half a pixel. */
function snap(place: number): number {
  return Math.floor(place + 0.5 + 1e-6);
}
