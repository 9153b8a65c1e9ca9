import type { ImageLayout, LayerReport } from "@/protocol/result";
import { keptRowCount, keptShareOfAll, rowCount } from "../overlayGeometry";
import { drawKeptRows, keptInk } from "../viewer/drawKeptRows";

/** Pixels of the wider side. */
const LONGEST = 480;
const QUALITY = 0.82;

export interface OverlayImage {
  /** JPEG as a data URL. */
  readonly url: string;
  readonly width: number;
  readonly height: number;
  /** Mean over the layers. */
  readonly kept: number;
  readonly total: number;
}

/** An image under the overlay of what its layers dropped, all of them together. */
export function overlayImage(
  image: ImageBitmap,
  layout: ImageLayout,
  layers: readonly LayerReport[],
): OverlayImage | undefined {
  const canvas = markedImage(image, layout, layers, LONGEST);
  if (!canvas) return undefined;
  return {
    url: canvas.toDataURL("image/jpeg", QUALITY),
    width: canvas.width,
    height: canvas.height,
    kept: keptRowCount(layout, keptShareOfAll(layers)),
    total: rowCount(layout),
  };
}

/** The same as a canvas. @param longest pixels of its wider side at most */
export function markedImage(
  image: ImageBitmap,
  layout: ImageLayout,
  layers: readonly LayerReport[],
  longest: number,
): HTMLCanvasElement | undefined {
  const scale = Math.min(1, longest / Math.max(image.width, image.height));
  const size = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = canvasOf(size);
  const overlay = canvasOf(size);
  const context = canvas.getContext("2d");
  const above = overlay.getContext("2d");
  if (!context || !above) return undefined;
  // JPEG has no transparency; the model sees transparent pixels on white, too.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  drawKeptRows(above, layout, keptShareOfAll(layers), keptInk());
  context.drawImage(overlay, 0, 0);
  return canvas;
}

function canvasOf([width = 1, height = 1]: readonly number[]): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
