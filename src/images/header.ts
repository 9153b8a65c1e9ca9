import { isoFormat, readIso } from "./isoMedia";
import { readJpeg } from "./jpeg";
import { ascii, type ImageFormat, type ImageHeader } from "./types";
import { readWebp } from "./webp";

type Reader = (file: DataView) => ImageHeader;

/**
 * Reads the header of an image file, and walks its blocks to find the end. Undefined for an unknown
 * format. Nothing is decoded, and a read past the end counts as truncation, so a malicious file
 * costs at most one scan of its length.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = formatOf(file);
  if (!format) return undefined;
  try {
    return READERS[format](file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { format, width: 0, height: 0, isAnimated: false, isTruncated: true };
  }
}

const READERS: Readonly<Record<ImageFormat, Reader>> = {
  PNG: readPng,
  JPEG: readJpeg,
  GIF: readGif,
  WebP: readWebp,
  AVIF: readIso,
  HEIC: readIso,
  BMP: readBmp,
};

function formatOf(file: DataView): ImageFormat | undefined {
  if (u8(file, 0) === 0x89 && ascii(file, 1, 3) === "PNG") return "PNG";
  if (u8(file, 0) === 0xff && u8(file, 1) === 0xd8) return "JPEG";
  if (/^GIF8[79]a$/.test(ascii(file, 0, 6))) return "GIF";
  if (ascii(file, 0, 4) === "RIFF" && ascii(file, 8, 4) === "WEBP") return "WebP";
  if (ascii(file, 4, 4) === "ftyp") return isoFormat(file);
  return ascii(file, 0, 2) === "BM" ? "BMP" : undefined;
}

/** A byte, or 0 past the end. */
function u8(file: DataView, offset: number): number {
  return offset < file.byteLength ? file.getUint8(offset) : 0;
}

/**
 * PNG: chunks of (length, type, data, checksum) up to IEND; `acTL` marks an animation. A file that
 * ends after a whole chunk is passed to the decoder.
 */
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
  const isTruncated = at > file.byteLength || (type !== "IEND" && at !== file.byteLength);
  return { format: "PNG", width, height, isAnimated, isTruncated };
}

/**
 * GIF blocks: 0x21 an extension, 0x2C a frame, 0x3B the end. Decoders accept files whose end marker
 * is missing or follows other bytes, if there is a frame.
 */
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
      at = endOfSubBlocks(file, at + 11 + colorTableBytes(file.getUint8(at + 9)));
      frames++;
    } else {
      at++;
    }
  }
  return { format: "GIF", width, height, isAnimated: frames > 1, isTruncated: frames === 0 };
}

function colorTableBytes(flags: number): number {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

function endOfSubBlocks(file: DataView, from: number): number {
  let at = from;
  while (file.getUint8(at) !== 0) at += file.getUint8(at) + 1;
  return at + 1;
}

/**
 * BMP: a file header with the offset of the pixels, then an information header of one of two kinds.
 */
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
