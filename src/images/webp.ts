import { ascii, type ImageHeader, type Orientation, type OrientationTag } from "./types";

/**
 * WebP: RIFF chunks; `VP8X` has the canvas size and the animation flag, otherwise the first frame's
 * header.
 */
export function readWebp(file: DataView): ImageHeader {
  const isTruncated = file.getUint32(4, true) + 8 > file.byteLength;
  const type = ascii(file, 12, 4);
  if (type === "VP8X") {
    const size = (at: number) => 1 + file.getUint16(at, true) + (file.getUint8(at + 2) << 16);
    const isAnimated = (file.getUint8(20) & 0x02) !== 0;
    const orientation = isTruncated ? undefined : readOrientation(file);
    return {
      ...{ format: "WebP", width: size(24), height: size(27), isAnimated, isTruncated },
      ...(orientation && { orientation }),
    };
  }
  const still = { format: "WebP", isAnimated: false, isTruncated } as const;
  if (type === "VP8L") {
    const bits = file.getUint32(21, true);
    return { ...still, width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  const size = (at: number) => file.getUint16(at, true) & 0x3fff;
  return { ...still, width: size(26), height: size(28) };
}

/** The orientation in the `EXIF` chunk, if it is not upright. */
function readOrientation(file: DataView): OrientationTag | undefined {
  for (let at = 12; at + 8 <= file.byteLength; ) {
    const length = file.getUint32(at + 4, true);
    if (ascii(file, at, 4) === "EXIF") return orientationTag(file, at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  return undefined;
}

/** TIFF: byte order, offset of a list of 12-byte entries, of which 0x0112 is the orientation. */
function orientationTag(file: DataView, from: number, to: number): OrientationTag | undefined {
  const tiff = ascii(file, from, 4) === "Exif" ? from + 6 : from;
  const order = ascii(file, tiff, 2);
  if ((order !== "II" && order !== "MM") || to > file.byteLength || tiff + 8 > to) return undefined;
  const isLittleEndian = order === "II";
  const list = tiff + file.getUint32(tiff + 4, isLittleEndian);
  if (list + 2 > to) return undefined;
  const entries = file.getUint16(list, isLittleEndian);
  for (let i = 0, at = list + 2; i < entries && at + 12 <= to; i++, at += 12) {
    if (file.getUint16(at, isLittleEndian) !== 0x0112) continue;
    const value = file.getUint16(at + 8, isLittleEndian);
    if (!isOrientation(value) || value === 1) return undefined;
    return { value, offset: at + 8, isLittleEndian };
  }
  return undefined;
}

function isOrientation(value: number): value is Orientation {
  return value >= 1 && value <= 8;
}
