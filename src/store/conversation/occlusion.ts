import { texts } from "@/language/language";
import type { ImageLayout } from "@/protocol/result";

/** A part of an image, in fractions of its width and height. */
type Box = ImageLayout["tiles"][number]["box"];

/** Patches that are painted over in a copy of an image. */
export interface Hidden {
  readonly image: string;
  /** Never empty. */
  readonly patches: readonly {
    /** Original prompt position of the visual row. */
    readonly position: number;
    readonly box: Box;
  }[];
}

/** Whole pixels, right and bottom excluded. */
interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Largest number of hidden patches. */
export const MAX_HIDDEN = 8;

/** The pixels of a patch, including partly covered ones, clipped to the image. */
export function areaOf(box: Box, width: number, height: number): Area {
  // An edge within rounding error of a whole pixel is that pixel.
  const floor = (value: number) => Math.max(0, Math.floor(value + 1e-6));
  const ceil = (value: number) => Math.ceil(value - 1e-6);
  return {
    left: floor(box.x * width),
    top: floor(box.y * height),
    right: Math.min(width, ceil((box.x + box.width) * width)),
    bottom: Math.min(height, ceil((box.y + box.height) * height)),
  };
}

/** An area extended by half of its size on every side, clipped to the image. */
export function surroundings(area: Area, width: number, height: number): Area {
  const x = Math.ceil((area.right - area.left) / 2);
  const y = Math.ceil((area.bottom - area.top) / 2);
  return {
    left: Math.max(0, area.left - x),
    top: Math.max(0, area.top - y),
    right: Math.min(width, area.right + x),
    bottom: Math.min(height, area.bottom + y),
  };
}

/**
 * Mean colour of an area's surroundings without hidden pixels. If all surroundings are hidden, the
 * mean of the image's visible pixels; if there are none, grey.
 * @param pixels [height, width, 4] red, green, blue, alpha
 * @param hidden all areas to paint over
 */
export function colorAround(
  pixels: Uint8ClampedArray,
  width: number,
  area: Area,
  hidden: readonly Area[],
): readonly [number, number, number] {
  const height = pixels.length / 4 / width;
  return (
    meanColor(pixels, width, surroundings(area, width, height), hidden) ??
    meanColor(pixels, width, { left: 0, top: 0, right: width, bottom: height }, hidden) ?? [
      128, 128, 128,
    ]
  );
}

function meanColor(
  pixels: Uint8ClampedArray,
  width: number,
  area: Area,
  hidden: readonly Area[],
): readonly [number, number, number] | undefined {
  const sum = [0, 0, 0];
  let count = 0;
  for (let y = area.top; y < area.bottom; y++) {
    const inRow = hidden.filter(({ top, bottom }) => y >= top && y < bottom);
    for (let x = area.left; x < area.right; x++) {
      if (inRow.some(({ left, right }) => x >= left && x < right)) continue;
      for (let channel = 0; channel < 3; channel++) {
        sum[channel]! += pixels[4 * (y * width + x) + channel]!;
      }
      count += 1;
    }
  }
  const mean = (channel: number) => Math.round(sum[channel]! / count);
  return count > 0 ? [mean(0), mean(1), mean(2)] : undefined;
}

/**
 * A copy of an image with its hidden patches painted over, as PNG so that other pixels do not
 * change.
 */
export async function withoutPatches(image: Blob, { patches }: Hidden): Promise<Blob> {
  const bitmap = await createImageBitmap(image);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error("This browser has no canvas to paint an image on");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const pixels = context.getImageData(0, 0, width, height).data;
  const areas = patches.map(({ box }) => areaOf(box, width, height));
  for (const area of areas) {
    const { left, top, right, bottom } = area;
    context.fillStyle = `rgb(${colorAround(pixels, width, area, areas).join(" ")})`;
    context.fillRect(left, top, right - left, bottom - top);
  }
  return context.canvas.convertToBlob({ type: "image/png" });
}

/** `without row 143`, `without rows 12, 143`: rows counted from 1. */
export function hiddenLabel({ patches }: Hidden): string {
  const rows = patches.map(({ position }) => position + 1).sort((a, b) => a - b);
  return texts.chat.facts.without(rows);
}
