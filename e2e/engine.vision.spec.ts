import { expect } from "@playwright/test";
import { createServer, type ViteDevServer } from "vite";
import reference from "../fixtures/vision/reference.json" with { type: "json" };
import { test } from "./test";

/** Against PyTorch in f32; both providers are seen at 4e-6. */
const TOLERANCE = 1e-4;
/** The tiles are resized as in Pillow, byte for byte; what is left is float rounding (5e-10 measured). */
const MEAN_PIXEL_ERROR = 1e-6;

// Tests the modules, not the built page: the encoder's input is pixels from Python.
let server: ViteDevServer;
let origin: string;

test.beforeAll(async () => {
  // Without a watch: a page must not be loaded again because another test writes a file.
  const options = { port: 0, host: "127.0.0.1", watch: null, hmr: false } as const;
  server = await createServer({ server: options, logLevel: "error" });
  await server.listen();
  origin = server.resolvedUrls?.local[0] ?? "";
});

test.afterAll(() => server.close());

for (const provider of ["webgpu", "wasm"] as const) {
  test(`the vision encoder on ${provider} gives PyTorch's features, as a buffer of ours`, async ({
    page,
  }) => {
    await page.goto(`${origin}headless.html`);
    const result = await page.evaluate(async (provider) => {
      const load = (path: string) => import(/* @vite-ignore */ path);
      const floats = async (name: string) =>
        new Float32Array(await (await fetch(`/fixtures/vision/${name}`)).arrayBuffer());
      const [{ requestDevice }, { Gpu }, { ModelFiles }, { OnnxVisionEncoder }] = await Promise.all(
        ["gpu/device", "gpu/gpu", "model/checkpoint/files", "model/vision/onnxEncoder"].map((m) =>
          load(`/src/${m}.ts`),
        ),
      );
      const { device } = await requestDevice();
      const errors: string[] = [];
      device.onuncapturederror = (event: GPUUncapturedErrorEvent) =>
        void errors.push(event.error.message);
      const gpu = new Gpu(device);
      const files = new ModelFiles(new URL("/models/tiny-smolvlm/", location.href).href);
      const shape = { tileSize: 64, rows: 16, width: 64 };
      const encoder = await OnnxVisionEncoder.load(gpu, files, shape, provider);
      const features = await encoder.encode({
        pixelValues: await floats("pixel_values.bin"),
        tiles: 5,
        height: 64,
        width: 64,
        geometry: { grid: { rows: 2, columns: 2 }, tiles: [] },
      });
      const booked = gpu.memory.bytes.vision;
      const got = new Float32Array(await gpu.read(features.buffer));
      const expected = await floats("image_features.bin");
      const worst = got.reduce((max, x, i) => Math.max(max, Math.abs(x - (expected[i] ?? 0))), 0);
      gpu.memory.destroy(features.buffer);
      await encoder.release();
      const size = [features.rows, features.width];
      return { worst, size, length: got.length, booked, left: gpu.memory.bytes.vision, errors };
    }, provider);
    expect(result.errors).toEqual([]);
    const [tiles = 0, rowsPerTile = 0, width = 0] = reference.shapes.image_features;
    expect(result.size).toEqual([tiles * rowsPerTile, width]);
    expect(result.length).toBe(5 * 16 * 64);
    expect(result.worst).toBeLessThan(TOLERANCE);
    expect(result.booked).toBe(5 * 16 * 64 * 4);
    expect(result.left).toBe(0);
  });
}

test("a picture is cut into the tiles that Python cuts it into", async ({ page }) => {
  await page.goto(`${origin}headless.html`);
  const result = await page.evaluate(async () => {
    const load = (path: string) => import(/* @vite-ignore */ path);
    const { ModelFiles } = await load("/src/model/checkpoint/files.ts");
    const { Idefics3Processor } = await load("/src/model/families/idefics3/processor.ts");
    const { decodeImage } = await load("/src/images/decode.ts");
    const files = new ModelFiles(new URL("/models/tiny-smolvlm/", location.href).href);
    const processor = await Idefics3Processor.load(files, {
      imageSize: 64,
      rows: 16,
      contextLength: 2048,
    });
    const blob = await (await fetch("/fixtures/vision/picture.png")).blob();
    const image = await decodeImage(blob, (w: number, h: number) => processor.sizeFor(w, h));
    const { pixelValues, tiles, height, width, geometry } = await processor.process(image.pixels);
    const expected = new Float32Array(
      await (await fetch("/fixtures/vision/pixel_values.bin")).arrayBuffer(),
    );
    const sum = expected.reduce((total, x, i) => total + Math.abs(x - pixelValues[i]), 0);
    return {
      shape: [1, tiles, 3, height, width],
      grid: geometry.grid,
      meanError: sum / expected.length,
    };
  });
  expect(result.shape).toEqual(reference.shapes.pixel_values);
  expect(result.grid).toEqual({ rows: 2, columns: 2 });
  expect(result.meanError).toBeLessThan(MEAN_PIXEL_ERROR);
});

test("awkward images arrive upright, opaque and from their first frame", async ({ page }) => {
  await page.goto(`${origin}headless.html`);
  const images = await page.evaluate(async () => {
    const path = "/src/images/decode.ts";
    const { decodeImage } = await import(/* @vite-ignore */ path);
    const read = async (name: string) =>
      new Uint8Array(await (await fetch(`/fixtures/images/${name}`)).arrayBuffer());
    const decode = (...parts: BlobPart[]) => decodeImage(new Blob(parts), () => [384, 384]);
    const plain = (await decode(await read("receipt.png"))).pixels.data;
    const [gif, jpeg] = [await read("animated.gif"), await read("rotated-exif6.jpg")];
    const tables = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xdb);
    const files: Record<string, BlobPart[]> = {
      "GIF without a trailer": [gif.subarray(0, -1)],
      "GIF with zeros before its trailer": [gif.subarray(0, -1), Uint8Array.of(0, 0, 0x3b)],
      "JPEG without an end marker": [jpeg.subarray(0, -2)],
      "JPEG with other data in place of its end": [
        jpeg.subarray(0, -2),
        "\0\0SEFH",
        new Uint8Array(300),
      ],
      "JPEG with bytes between its segments": [
        jpeg.subarray(0, tables),
        Uint8Array.of(0, 18, 52),
        jpeg.subarray(tables),
      ],
    };
    for (const name of [
      "rotated-exif6.jpg",
      "exif6.webp",
      "brand-miaf.avif",
      "transparent.png",
      "animated.gif",
      "animated.webp",
    ]) {
      files[name] = [await read(name)];
    }
    return Promise.all(
      Object.entries(files).map(async ([name, parts]) => {
        const { pixels, notices } = await decode(...parts);
        let difference = 0;
        let isOpaque = true;
        for (let i = 0; i < plain.length; i++) {
          difference += Math.abs(pixels.data[i] - plain[i]) / plain.length;
          if (i % 4 === 3 && pixels.data[i] !== 255) isOpaque = false;
        }
        return { name, difference, isOpaque, notices };
      }),
    );
  });
  for (const { name, difference, isOpaque, notices } of images) {
    expect(difference, name).toBeLessThan(name === "transparent.png" ? 16 : 4);
    expect(isOpaque, name).toBe(true);
    expect(notices, name).toHaveLength(/animated|GIF/.test(name) ? 1 : 0);
  }
});

test("what is cut off stays refused, whatever its decoder would make of it", async ({ page }) => {
  await page.goto(`${origin}headless.html`);
  const refusals = await page.evaluate(async () => {
    const path = "/src/images/decode.ts";
    const { decodeImage } = await import(/* @vite-ignore */ path);
    const names = [
      "receipt.png",
      "rotated-exif6.jpg",
      "progressive.jpg",
      "exif6.webp",
      "brand-miaf.avif",
    ];
    const messages: string[] = [];
    for (const name of names) {
      const bytes = new Uint8Array(await (await fetch(`/fixtures/images/${name}`)).arrayBuffer());
      const cut = new Blob([bytes.subarray(0, 0.8 * bytes.length)]);
      const outcome = await decodeImage(cut, () => [8, 8]).catch((error: Error) => error);
      messages.push(`${name}: ${outcome instanceof Error ? outcome.message : "decoded"}`);
    }
    return messages;
  });
  for (const message of refusals) expect(message).toMatch(/is truncated/);
});
