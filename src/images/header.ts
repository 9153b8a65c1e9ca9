/** What an image's file says about itself before anything is decoded. */
export interface ImageHeader {
  readonly format: "PNG" | "JPEG" | "GIF" | "WebP" | "AVIF" | "BMP";
  /** Pixels, before any EXIF rotation. */
  readonly width: number;
  readonly height: number;
  readonly isAnimated: boolean;
  /** The file ends before the image does. */
  readonly isTruncated: boolean;
}

type Reader = (file: DataView) => ImageHeader;

/**
 * Reads the header of an image file, and walks its blocks to see whether the end is there.
 * Undefined: no format that is known here. Nothing is decoded, and reads past the end are treated
 * as truncation, so that a hostile file costs a scan of its own length at most.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [format, reader] = READERS.find(([, , matches]) => matches(file)) ?? [];
  if (!format || !reader) return undefined;
  try {
    return reader(file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { format, width: 0, height: 0, isAnimated: false, isTruncated: true };
  }
}

const READERS: readonly (readonly [ImageHeader["format"], Reader, (file: DataView) => boolean])[] =
  [
    ["PNG", readPng, (file) => ascii(file, 1, 3) === "PNG" && u8(file, 0) === 0x89],
    ["JPEG", readJpeg, (file) => u8(file, 0) === 0xff && u8(file, 1) === 0xd8],
    ["GIF", readGif, (file) => /^GIF8[79]a$/.test(ascii(file, 0, 6))],
    ["WebP", readWebp, (file) => ascii(file, 0, 4) === "RIFF" && ascii(file, 8, 4) === "WEBP"],
    ["AVIF", readAvif, (file) => /^ftyp(avif|avis|mif1|msf1)$/.test(ascii(file, 4, 8))],
    ["BMP", readBmp, (file) => ascii(file, 0, 2) === "BM"],
  ];

function ascii(file: DataView, offset: number, length: number): string {
  const end = Math.min(offset + length, file.byteLength);
  let text = "";
  for (let i = offset; i < end; i++) text += String.fromCharCode(file.getUint8(i));
  return text;
}

/** A byte, or 0 past the end: for telling formats apart. */
function u8(file: DataView, offset: number): number {
  return offset < file.byteLength ? file.getUint8(offset) : 0;
}

/** Chunks of (length, type, data, checksum) up to IEND; `acTL` announces an animation. */
function readPng(file: DataView): ImageHeader {
  const width = file.getUint32(16);
  const height = file.getUint32(20);
  let isAnimated = false;
  let type = "";
  let at = 8;
  while (type !== "IEND" && at + 12 <= file.byteLength) {
    type = ascii(file, at + 4, 4);
    if (type === "acTL") isAnimated = file.getUint32(at + 8) > 1;
    at += 12 + file.getUint32(at);
  }
  const isTruncated = type !== "IEND" || at > file.byteLength;
  return { format: "PNG", width, height, isAnimated, isTruncated };
}

/** Marker segments; after a scan's header comes entropy-coded data up to the next real marker. */
function readJpeg(file: DataView): ImageHeader {
  const start = { format: "JPEG", isAnimated: false } as const;
  let [width, height] = [0, 0];
  let at = 2;
  while (at + 4 <= file.byteLength) {
    const marker = file.getUint8(at + 1);
    if (file.getUint8(at) !== 0xff) break;
    if (marker === 0xd9) return { ...start, width, height, isTruncated: false };
    if (marker === 0xff) {
      at += 1; // padding
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      height = file.getUint16(at + 5);
      width = file.getUint16(at + 7);
    }
    at += 2 + file.getUint16(at + 2);
    if (marker === 0xda) at = endOfScan(file, at);
  }
  const isEnd = at + 2 <= file.byteLength && file.getUint16(at) === 0xffd9;
  return { ...start, width, height, isTruncated: !isEnd };
}

/** Offset of the next marker that is neither a stuffed 0xFF nor a restart. */
function endOfScan(file: DataView, from: number): number {
  const last = file.byteLength - 1;
  for (let at = from; at < last; at++) {
    if (file.getUint8(at) !== 0xff) continue;
    const marker = file.getUint8(at + 1);
    if (marker !== 0 && marker !== 0xff && (marker < 0xd0 || marker > 0xd7)) return at;
  }
  return file.byteLength;
}

/** Blocks: 0x21 an extension, 0x2C a frame, 0x3B the end. */
function readGif(file: DataView): ImageHeader {
  const width = file.getUint16(6, true);
  const height = file.getUint16(8, true);
  let at = 13 + colorTableBytes(file.getUint8(10));
  let frames = 0;
  let block = 0;
  while (block !== 0x3b && at < file.byteLength) {
    block = file.getUint8(at);
    if (block === 0x21) {
      at = endOfSubBlocks(file, at + 2);
    } else if (block === 0x2c) {
      frames++;
      at = endOfSubBlocks(file, at + 11 + colorTableBytes(file.getUint8(at + 9)));
    } else if (block !== 0x3b) {
      break;
    }
  }
  return { format: "GIF", width, height, isAnimated: frames > 1, isTruncated: block !== 0x3b };
}

function colorTableBytes(flags: number): number {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

function endOfSubBlocks(file: DataView, from: number): number {
  let at = from;
  while (file.getUint8(at) !== 0) at += file.getUint8(at) + 1;
  return at + 1;
}

/** RIFF chunks; `VP8X` carries the canvas and the animation flag, else the first frame's header. */
function readWebp(file: DataView): ImageHeader {
  const isTruncated = file.getUint32(4, true) + 8 > file.byteLength;
  const type = ascii(file, 12, 4);
  if (type === "VP8X") {
    const size = (at: number) => 1 + file.getUint16(at, true) + (file.getUint8(at + 2) << 16);
    const isAnimated = (file.getUint8(20) & 0x02) !== 0;
    return { format: "WebP", width: size(24), height: size(27), isAnimated, isTruncated };
  }
  const still = { format: "WebP", isAnimated: false, isTruncated } as const;
  if (type === "VP8L") {
    const bits = file.getUint32(21, true);
    return { ...still, width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  const size = (at: number) => file.getUint16(at, true) & 0x3fff;
  return { ...still, width: size(26), height: size(28) };
}

/** ISO media boxes; the largest `ispe` property under meta/iprp/ipco is the image's size. */
function readAvif(file: DataView): ImageHeader {
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
  return { format: "AVIF", width, height, isAnimated, isTruncated };
}

/** A file header with the offset of the pixels, then an information header of one of two kinds. */
function readBmp(file: DataView): ImageHeader {
  const isOld = file.getUint32(14, true) === 12;
  const width = isOld ? file.getUint16(18, true) : Math.abs(file.getInt32(18, true));
  const height = isOld ? file.getUint16(20, true) : Math.abs(file.getInt32(22, true));
  const bitsPerPixel = file.getUint16(isOld ? 24 : 28, true);
  const compression = isOld ? 0 : file.getUint32(30, true);
  const rowBytes = Math.ceil((width * bitsPerPixel) / 32) * 4;
  const isPlain = compression === 0 || compression === 3;
  const pixelBytes = isPlain ? rowBytes * height : file.getUint32(34, true);
  const isTruncated = file.getUint32(10, true) + pixelBytes > file.byteLength;
  return { format: "BMP", width, height, isAnimated: false, isTruncated };
}
