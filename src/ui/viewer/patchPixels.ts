import { overlayAlpha, type Patch, type PatchBox } from "../overlayGeometry";

/** One colour over every patch, with the patch's value as opacity. */
export interface Wash {
  /** In [0, 1] by position. */
  readonly value: (position: number) => number;
  readonly full: number;
  readonly color: string;
}

export function drawWash(
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
    const { left, top, width, height } = patchPixels(context.canvas, box);
    context.fillRect(left, top, width, height);
  }
  context.globalAlpha = 1;
}

/** Whole pixels, so that neighbours neither overlap nor leave a hairline. */
export function patchPixels(canvas: HTMLCanvasElement, box: PatchBox) {
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
