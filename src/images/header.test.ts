import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { turn } from "./decode";
import { openImageFile } from "./file";
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

describe("JPEG without an end marker", () => {
  const concat = (...parts: readonly (Uint8Array | readonly number[])[]) =>
    Uint8Array.from(parts.flatMap((part) => [...part]));
  const names = ["rotated-exif6.jpg", "progressive.jpg", "restarts.jpg"];

  it.each(names)("is whole where %s holds every block, and ends behind the last one", (name) => {
    const whole = read(name);
    const open = whole.subarray(0, -2);
    expect(readImageHeader(whole)).not.toHaveProperty("missingEnd");
    const trailers = [[], Array(64).fill(0), [0, 0, 1, 10, ...text("SEFH"), 0xff, 0xe1, 0]];
    for (const trailer of trailers) {
      const header = readImageHeader(concat(open, trailer));
      expect(header, `${trailer}`).toMatchObject({ isTruncated: false, missingEnd: open.length });
    }
  });

  it.each(names)("is cut off where %s lacks any part of its data", (name) => {
    const whole = read(name);
    const step = Math.ceil(whole.length / 400);
    // The last byte of a scan may be padding alone.
    for (let length = whole.length - 4; length > 2; length -= step) {
      const cut = whole.subarray(0, length);
      expect(readImageHeader(cut)?.isTruncated, `${length} of ${whole.length}`).toBe(true);
    }
    expect(readImageHeader(concat(whole.subarray(0, -9), [0xff, 0xe1]))?.isTruncated).toBe(true);
  });

  it("may have bytes between its segments", () => {
    const whole = read("restarts.jpg");
    const tables = whole.findIndex((byte, i) => byte === 0xff && whole[i + 1] === 0xdb);
    const stray = concat(whole.subarray(0, tables), [0, 18, 52], whole.subarray(tables));
    expect(readImageHeader(stray)).toEqual(readImageHeader(whole));
  });
});

describe("GIF without its end", () => {
  it("is whole if its frames are", () => {
    const whole = read("animated.gif");
    const header = readImageHeader(whole);
    expect(readImageHeader(whole.subarray(0, -1))).toEqual(header);
    const zeros = Uint8Array.from([...whole.subarray(0, -1), 0, 0, 0x3b]);
    expect(readImageHeader(zeros)).toEqual(header);
  });
});

describe("WebP orientation", () => {
  it("is found in the EXIF chunk, with or without the prefix of JPEG", () => {
    const plain = read("exif6.webp");
    const { offset } = readImageHeader(plain)!.orientation!;
    expect(new DataView(plain.buffer).getUint16(offset)).toBe(6);
    expect(readImageHeader(plain)?.orientation).toEqual({
      value: 6,
      offset,
      isLittleEndian: false,
    });

    const chunk = plain.length - 8 - 26;
    const size = new DataView(new ArrayBuffer(8));
    size.setUint32(0, 0x45584946);
    size.setUint32(4, 32, true);
    const prefixed = Uint8Array.from([
      ...plain.subarray(0, chunk),
      ...new Uint8Array(size.buffer),
      ...text("Exif\0\0"),
      ...plain.subarray(chunk + 8),
    ]);
    new DataView(prefixed.buffer).setUint32(4, prefixed.length - 8, true);
    expect(readImageHeader(prefixed)?.orientation).toMatchObject({ value: 6, offset: offset + 6 });
    expect(readImageHeader(read("animated.webp"))).not.toHaveProperty("orientation");
  });
});

describe("ISO media", () => {
  const file = (major: string, ...compatible: readonly string[]) =>
    Uint8Array.from([
      ...box("ftyp", text(major), u32(0), ...compatible.map(text)),
      ...box("meta", [0, 0, 0, 0], box("iprp", box("ipco", box("ispe", u32(0, 8, 9))))),
    ]);

  it.each([
    ["AVIF", ["avif"]],
    ["AVIF", ["miaf", "mif1", "avif"]],
    ["AVIF", ["MA1B", "mif1", "avif", "miaf"]],
    ["AVIF", ["msf1", "avis"]],
    ["HEIC", ["heic", "mif1"]],
    ["HEIC", ["mif1", "heic"]],
    ["HEIC", ["heix"]],
    ["HEIC", ["hevc", "msf1"]],
    ["HEIC", ["mif1"]],
    ["HEIC", ["msf1"]],
    [undefined, ["isom", "mp42"]],
  ] as const)("is %s by the brands %j", (format, [major, ...compatible]) => {
    expect(readImageHeader(file(major, ...compatible))?.format).toBe(format);
  });
});

describe("openImageFile", () => {
  const open = (name: string, type = "") => openImageFile(new Blob([read(name)], { type }));

  it.each([
    ["empty.png", "badImage", "empty"],
    ["not-an-image.png", "badImage", "not an image"],
    ["truncated.png", "badImage", "truncated"],
    ["huge-20000x20000.png", "imageTooLarge", "400 megapixels (20000 × 20000)"],
  ])("refuses %s before decoding", async (name, code, words) => {
    await expect(open(name)).rejects.toMatchObject({
      name: "ImageError",
      code,
      message: expect.stringContaining(words),
    });
  });

  it("calls HEIC by its name", async () => {
    const heic = new Blob([Uint8Array.from(box("ftyp", text("mif1"), u32(0), text("heic")))]);
    await expect(openImageFile(heic, "“a.avif”")).rejects.toThrow("“a.avif” is a HEIC image");
  });

  it("says which images move", async () => {
    expect((await open("animated.gif")).isAnimated).toBe(true);
    expect((await open("receipt.png")).isAnimated).toBe(false);
  });

  it("gives a file the type of its header, whatever it was declared as", async () => {
    for (const declared of ["text/html", "image/svg+xml", "image/jpeg", ""]) {
      const { blob } = await open("receipt.png", declared);
      expect(blob.type).toBe("image/png");
      expect(new Uint8Array(await blob.arrayBuffer())).toEqual(read("receipt.png"));
    }
    const given = new Blob([read("receipt.png")], { type: "image/png" });
    expect((await openImageFile(given)).blob).toBe(given);
  });

  it("puts the end marker on, and takes an orientation off that it reports", async () => {
    const whole = read("restarts.jpg");
    const { blob } = await openImageFile(new Blob([whole.subarray(0, -2), "\0\0trailer"]));
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(whole);

    const turned = await open("exif6.webp");
    expect(turned.orientation).toBe(6);
    const upright = new Uint8Array(await turned.blob.arrayBuffer());
    expect(readImageHeader(upright)).not.toHaveProperty("orientation");
    expect(upright.length).toBe(read("exif6.webp").length);
  });
});

it.each([
  [1, [0, 0]],
  [2, [3, 0]],
  [3, [3, 2]],
  [4, [0, 2]],
  [5, [0, 0]],
  [6, [2, 0]],
  [7, [2, 3]],
  [8, [0, 3]],
] as const)(
  "EXIF orientation %i puts the stored corner where it belongs",
  (orientation, corner) => {
    const [a, b, c, d, e, f] = turn(orientation, 3, 2);
    expect([e, f]).toEqual(corner);
    // The opposite corner of 3 × 2 pixels lies inside the turned image, across from the first.
    const [x, y] = [3 * a + 2 * c + e, 3 * b + 2 * d + f];
    const [width, height] = orientation < 5 ? [3, 2] : [2, 3];
    expect([x, y]).toEqual([width - corner[0], height - corner[1]]);
  },
);

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
