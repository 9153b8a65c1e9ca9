import fs from "node:fs";
import zlib from "node:zlib";
import type { Raster } from "@/model/families/family";

/** Pixels of a PNG with 8-bit RGB, not interlaced: what the pictures of fixtures and data sets are. */
export function readPng(file: string): Raster {
  return decodePng(fs.readFileSync(file), file);
}

/** As `readPng`, of a file in memory. @throws if it is of another kind; `name` names it */
export function decodePng(bytes: Buffer, name: string): Raster {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (bytes[24] !== 8 || bytes[25] !== 2 || bytes[28] !== 0) throw new Error(`${name}: not RGB`);
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT")
      parts.push(bytes.subarray(at + 8, end));
  }
  const packed = zlib.inflateSync(Buffer.concat(parts));
  const stride = width * 3;
  const lines = new Uint8Array(height * stride);
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    const filter = packed[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const left = i < 3 ? 0 : lines[y * stride + i - 3]!;
      const up = y === 0 ? 0 : lines[(y - 1) * stride + i]!;
      const corner = i < 3 || y === 0 ? 0 : lines[(y - 1) * stride + i - 3]!;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter!]!;
      const value = (packed[y * (stride + 1) + 1 + i]! + guess) & 255;
      lines[y * stride + i] = value;
      data[(y * width + Math.floor(i / 3)) * 4 + (i % 3)] = value;
    }
  }
  return { data, width, height };
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const distances = [left, up, corner].map((value) => Math.abs(guess - value));
  return [left, up, corner][distances.indexOf(Math.min(...distances))]!;
}
