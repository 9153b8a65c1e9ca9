/** Size as the first bytes of a file declare it, before EXIF rotation. */
export interface HeaderSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Width and height from the header of a PNG, GIF, JPEG, WebP or AVIF, without decoding a pixel.
 * Undefined for anything else, and where the header lies beyond `bytes`.
 */
export function imageSize(bytes: Uint8Array): HeaderSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (ascii(bytes, 1, 4) === "PNG")
      return { width: view.getUint32(16), height: view.getUint32(20) };
    if (ascii(bytes, 0, 3) === "GIF") {
      return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    }
    if (view.getUint16(0) === 0xffd8) return jpegSize(view);
    if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP")
      return webpSize(bytes, view);
    if (ascii(bytes, 4, 8) === "ftyp") return avifSize(bytes, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** Walks the segments to the frame header: SOF0 to SOF15 without DHT, JPG and DAC. */
function jpegSize(view: DataView): HeaderSize {
  let at = 2;
  for (;;) {
    const marker = view.getUint16(at);
    const isFrame =
      marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
}

function webpSize(bytes: Uint8Array, view: DataView): HeaderSize | undefined {
  const chunk = ascii(bytes, 12, 16);
  if (chunk === "VP8X") return { width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) };
  if (chunk === "VP8 ") {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (chunk !== "VP8L") return undefined;
  const packed = view.getUint32(21, true);
  return { width: 1 + (packed & 0x3fff), height: 1 + ((packed >>> 14) & 0x3fff) };
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

/** The largest `ispe` property: a grid's own size is larger than that of its cells. */
function avifSize(bytes: Uint8Array, view: DataView): HeaderSize | undefined {
  let largest: HeaderSize | undefined;
  for (let at = 0; at + 16 <= bytes.length; at++) {
    if (bytes[at] !== 0x69 || ascii(bytes, at, at + 4) !== "ispe") continue;
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (!largest || size.width * size.height > largest.width * largest.height) largest = size;
  }
  return largest;
}
