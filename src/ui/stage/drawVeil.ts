import type { ImageLayout } from "@/protocol/engine";
import { type Box, coverage, type Patch, patchesOf, veilAlpha } from "../veilGeometry";

/** Opacity over a patch that nobody kept. */
const FULL_VEIL = 0.86;

export interface VeilInk {
  readonly veil: string;
  readonly outline: string;
}

/** Draws the veil of `share` over a picture, in device pixels; the canvas covers the picture. */
export function drawVeil(
  canvas: HTMLCanvasElement,
  layout: ImageLayout,
  share: ReadonlyMap<number, number>,
  ink: VeilInk,
): void {
  const context = prepared(canvas);
  if (!context) return;
  const overlaps = coverage(layout);
  context.fillStyle = ink.veil;
  for (const { position, box } of patchesOf(layout)) {
    const alpha = veilAlpha(Math.min(1, share.get(position) ?? 0), overlaps, FULL_VEIL);
    if (alpha < 0.002) continue;
    context.globalAlpha = alpha;
    const { left, top, width, height } = pixels(canvas, box);
    context.fillRect(left, top, width, height);
  }
}

/** Outlines one patch: the one under the pointer or the keyboard's cursor. */
export function drawOutline(
  canvas: HTMLCanvasElement,
  patch: Patch | undefined,
  ink: VeilInk,
): void {
  const context = prepared(canvas);
  if (!context || !patch) return;
  const { left, top, width, height } = pixels(canvas, patch.box);
  const line = 2 * devicePixelRatio;
  context.globalAlpha = 1;
  context.strokeStyle = ink.outline;
  context.lineWidth = line;
  context.strokeRect(left, top, width, height);
}

/** The canvas at its size on the screen, empty. */
function prepared(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
  canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
  return canvas.getContext("2d");
}

/** Whole pixels, so that neighbours neither overlap nor leave a hairline. */
function pixels(canvas: HTMLCanvasElement, box: Box) {
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
