import { ascii, type ImageHeader } from "./types";

const HEIC_BRANDS = /^(hei[cxms]|hev[cxms]|mif[12]|msf1)$/;

/** Detected by the brands of `ftyp`, including compatible brands, as in browsers. */
export function isoFormat(file: DataView): "AVIF" | "HEIC" | undefined {
  const end = Math.min(file.byteLength, Math.max(16, file.getUint32(0)));
  const brands: string[] = [ascii(file, 8, 4)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(ascii(file, at, 4));
  if (brands.includes("avif") || brands.includes("avis")) return "AVIF";
  return brands.some((brand) => HEIC_BRANDS.test(brand)) ? "HEIC" : undefined;
}

/** AVIF: ISO media boxes; the largest `ispe` property under meta/iprp/ipco is the image size. */
export function readIso(file: DataView): ImageHeader {
  const format = isoFormat(file) ?? "AVIF";
  const isAnimated = ascii(file, 8, 4) === "avis";
  let [width, height] = [0, 0];
  const walk = (from: number, to: number): number => {
    let at = from;
    while (at + 8 <= to) {
      const type = ascii(file, at + 4, 4);
      const size = file.getUint32(at);
      const length = size === 1 ? Number(file.getBigUint64(at + 8)) : size || to - at;
      if (length < 8) throw new RangeError("a box shorter than its header");
      if (type === "meta") walk(at + 12, Math.min(at + length, to));
      if (type === "iprp" || type === "ipco") walk(at + 8, Math.min(at + length, to));
      if (type === "ispe" && file.getUint32(at + 12) * file.getUint32(at + 16) > width * height) {
        width = file.getUint32(at + 12);
        height = file.getUint32(at + 16);
      }
      at += length;
    }
    return at;
  };
  const isTruncated = walk(0, file.byteLength) > file.byteLength;
  return { format, width, height, isAnimated, isTruncated };
}
