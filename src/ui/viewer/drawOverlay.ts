import type { ImageLayout } from "@/protocol/result";
import { coverage, type PatchBox, patchesOf } from "../overlayGeometry";
import { drawKeptRows, type KeptInk } from "./drawKeptRows";
import type { Overlay, Paint } from "./overlay";
import { drawWash, patchPixels, type Wash } from "./patchPixels";

/** Opacity of the accent over the patch that was ranked highest: what is under it can still be read. */
const FULL_HEAT = 0.7;
/** Opacities of the shade at no attention and of the accent at the strongest attention. */
const FULL_SHADE = 0.66;
const FULL_LIGHT = 0.4;

interface OverlayInk extends KeptInk {
  readonly overlay: string;
  readonly accent: string;
  readonly warn: string;
  readonly mark: string;
  readonly surface: string;
}

interface Outline {
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
    for (const each of washes(paint, ink)) drawWash(context, patches, coverage(layout), each);
  for (const box of hidden) drawHidden(context, box, ink);
  if (!paint) return;
  for (const patch of patches) {
    if (sinks.has(patch.position)) drawSink(context, patch.box, ink);
    if (paint.kind === "word" && paint.missed.has(patch.position)) {
      drawOutline(context, { box: patch.box, color: ink.warn, width: 2 });
    }
  }
}

/** Draws outlines of single patches on a separate canvas, in a halo that parts them from any image. */
export function drawOutlines(
  canvas: HTMLCanvasElement,
  outlines: readonly Outline[],
  halo: string,
): void {
  const context = prepared(canvas);
  if (!context) return;
  for (const outline of outlines) {
    drawOutline(context, { ...outline, color: halo, width: 2 * outline.width });
    drawOutline(context, outline);
  }
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

/** A small lozenge in the middle of the patch, readable on light and dark. */
function drawSink(context: CanvasRenderingContext2D, box: PatchBox, ink: OverlayInk): void {
  const { left, top, width, height } = patchPixels(context.canvas, box);
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
  const { left, top, width, height } = patchPixels(context.canvas, box);
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
  const { left, top, width, height } = patchPixels(context.canvas, box);
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
