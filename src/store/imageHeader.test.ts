import { expect, test } from "vitest";
import { imageSize } from "./imageHeader";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));

test.each([
  ["PNG", "89504e47 0d0a1a0a 0000000d 49484452 00004e20 00000005 0802000000", 20000, 5],
  ["GIF", "474946383961 2c01 c800 f70000", 300, 200],
  [
    "JPEG with an application segment",
    "ffd8 ffe00010 4a46494600010100000100010000 ffc20011 08 0258 0320 03",
    800,
    600,
  ],
  [
    "WebP, extended",
    "52494646 00000000 57454250 56503858 0a000000 10000000 8f0100 570200",
    400,
    600,
  ],
  ["WebP, lossy", "52494646 00000000 57454250 56503820 00000000 300100 9d012a 4001 f000", 320, 240],
  ["WebP, lossless", "52494646 00000000 57454250 5650384c 00000000 2f 3fc13b00 0000", 320, 240],
  [
    "AVIF whose grid is larger than its cells",
    "00000018 66747970 61766966 00000000 00000014 69737065 00000000 00000200 00000200 00000014 69737065 00000000 00000800 00000600",
    2048,
    1536,
  ],
])("%s", (_, hex, width, height) => {
  expect(imageSize(bytes(hex))).toEqual({ width, height });
});

test("what is no image, or ends too early, has no size", () => {
  expect(imageSize(bytes(""))).toBeUndefined();
  expect(imageSize(new TextEncoder().encode("hello, this is a text file"))).toBeUndefined();
  expect(imageSize(bytes("89504e47 0d0a1a0a"))).toBeUndefined();
  expect(imageSize(bytes("ffd8 ffe00010 4a46"))).toBeUndefined();
});
