import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { checkImageFile } from "./file";
import { readImageHeader } from "./header";

const read = (name: string) => new Uint8Array(fs.readFileSync(`fixtures/images/${name}`));

describe("image header", () => {
  it.each([
    ["receipt.png", "PNG", 384, 384, false],
    ["transparent.png", "PNG", 384, 384, false],
    ["wide-600x300.png", "PNG", 600, 300, false],
    ["rotated-exif6.jpg", "JPEG", 384, 384, false],
    ["animated.gif", "GIF", 384, 384, true],
    ["animated.webp", "WebP", 384, 384, true],
  ] as const)("reads %s", (name, format, width, height, isAnimated) => {
    const header = readImageHeader(read(name));
    expect(header).toEqual({ format, width, height, isAnimated, isTruncated: false });
  });

  it.each(["receipt.png", "rotated-exif6.jpg", "animated.gif", "animated.webp"])(
    "sees that %s is cut off, wherever that is",
    (name) => {
      const whole = read(name);
      for (const share of [0.02, 0.3, 0.7, 0.999]) {
        const cut = whole.subarray(0, Math.floor(whole.length * share));
        expect(readImageHeader(cut)?.isTruncated, `${share}`).toBe(true);
      }
    },
  );

  it("takes a JPEG with data behind its end for whole", () => {
    const whole = read("rotated-exif6.jpg");
    const longer = new Uint8Array(whole.length + 9);
    longer.set(whole);
    expect(readImageHeader(longer)?.isTruncated).toBe(false);
  });

  it("reads a BMP of either sign of height", () => {
    const bmp = bitmap(3, -2);
    expect(readImageHeader(bmp)).toMatchObject({ format: "BMP", width: 3, height: 2 });
    expect(readImageHeader(bmp)?.isTruncated).toBe(false);
    expect(readImageHeader(bmp.subarray(0, bmp.length - 1))?.isTruncated).toBe(true);
  });

  it("reads an AVIF's largest size property", () => {
    const ispe = (width: number, height: number) => box("ispe", u32(0, width, height));
    const meta = box("meta", [0, 0, 0, 0], box("iprp", box("ipco", ispe(8, 9), ispe(800, 900))));
    const file = Uint8Array.from([
      ...box("ftyp", text("avif"), u32(0)),
      ...meta,
      ...box("mdat", [1, 2, 3]),
    ]);
    expect(readImageHeader(file)).toMatchObject({ format: "AVIF", width: 800, height: 900 });
    expect(readImageHeader(file)?.isTruncated).toBe(false);
    expect(readImageHeader(file.subarray(0, file.length - 1))?.isTruncated).toBe(true);
  });
});

describe("checkImageFile", () => {
  it.each([
    ["empty.png", "badImage", "empty"],
    ["not-an-image.png", "badImage", "not an image"],
    ["truncated.png", "badImage", "cut off"],
    ["huge-20000x20000.png", "imageTooLarge", "400 megapixels (20000 × 20000)"],
  ])("refuses %s before decoding", (name, code, words) => {
    const refused = expect.objectContaining({
      failure: expect.objectContaining({ code, message: expect.stringContaining(words) }),
    });
    expect(() => checkImageFile(read(name))).toThrow(refused);
  });

  it("says which images move", () => {
    expect(checkImageFile(read("animated.gif"))).toBe(true);
    expect(checkImageFile(read("receipt.png"))).toBe(false);
  });
});

function u32(...values: readonly number[]): number[] {
  return values.flatMap((value) => [
    value >>> 24,
    (value >> 16) & 255,
    (value >> 8) & 255,
    value & 255,
  ]);
}

function text(value: string): number[] {
  return [...value].map((letter) => letter.charCodeAt(0));
}

function box(type: string, ...content: readonly (readonly number[])[]): number[] {
  const body = content.flat();
  return [...u32(body.length + 8), ...text(type), ...body];
}

/** 24 bits per pixel, rows padded to four bytes. */
function bitmap(width: number, height: number): Uint8Array {
  const pixels = Math.ceil((width * 24) / 32) * 4 * Math.abs(height);
  const file = new DataView(new ArrayBuffer(54 + pixels));
  file.setUint16(0, 0x424d);
  file.setUint32(2, file.byteLength, true);
  file.setUint32(10, 54, true);
  file.setUint32(14, 40, true);
  file.setInt32(18, width, true);
  file.setInt32(22, height, true);
  file.setUint16(28, 24, true);
  return new Uint8Array(file.buffer);
}
