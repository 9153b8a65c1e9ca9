import type { ImageLayout, LayerReport } from "@/protocol/engine";
import { tokenColor } from "../color";
import { keptRowCount, keptShareOfAll, rowCount } from "../overlayGeometry";
import { drawDroppedRows } from "../viewer/drawOverlay";

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
  const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const context = canvas.getContext("2d");
  if (!context) return undefined;
  const share = keptShareOfAll(layers);
  // JPEG has no transparency; the model sees transparent pixels on white, too.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  drawDroppedRows(context, layout, share, paperColor());
  return {
    url: canvas.toDataURL("image/jpeg", QUALITY),
    width: canvas.width,
    height: canvas.height,
    kept: keptRowCount(layout, share),
    total: rowCount(layout),
  };
}

/**
 * The overlay colour of the light theme for any theme of the page, because the file is read in
 * both.
 */
function paperColor(): string {
  const paper = document.createElement("div");
  paper.style.colorScheme = "light";
  document.body.append(paper);
  const color = tokenColor(paper, "--overlay");
  paper.remove();
  return color;
}
