/** Longest side of a thumbnail in pixels: twice the size at which it is shown. */
const SIDE = 80;

const drawn = new WeakMap<Blob, Promise<string | undefined>>();

/** A small copy of an image as a data URL; undefined where it cannot be drawn. Drawn once per image. */
export function thumbnailOf(image: Blob): Promise<string | undefined> {
  const known = drawn.get(image) ?? draw(image).catch(() => undefined);
  drawn.set(image, known);
  return known;
}

async function draw(image: Blob): Promise<string | undefined> {
  if (typeof createImageBitmap !== "function" || typeof document === "undefined") return undefined;
  const bitmap = await createImageBitmap(image);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/webp", 0.8);
}
