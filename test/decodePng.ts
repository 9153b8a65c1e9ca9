import { resample } from "@/images/resample";
import { decodePng } from "../cli/shared/png";

/**
 * Stands for `@/images/decode` under Node, which has no canvas: the pixels of a PNG file, as Pillow
 * scales them.
 */
export async function decodeImage(
  file: Blob,
  sizeFor: (width: number, height: number) => readonly [number, number],
  filter: Parameters<typeof resample>[3],
) {
  const bytes = Buffer.from(await file.arrayBuffer());
  const { data, width, height } = decodePng(bytes, "The picture");
  const size = sizeFor(width, height);
  const pixels = resample(data, [width, height], size, filter);
  return { pixels: { data: pixels, width: size[0], height: size[1] }, width, height, notices: [] };
}
