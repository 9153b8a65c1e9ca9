import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { MAX_FILE_BYTES, readImage, storedSize } from "./readImage";

afterEach(() => void vi.unstubAllGlobals());

it("keeps what is small as it is and brings the longest side of the rest to 4096", () => {
  expect(storedSize({ width: 800, height: 600 })).toEqual({ width: 800, height: 600 });
  expect(storedSize({ width: 12_000, height: 9_000 })).toEqual({ width: 4096, height: 3072 });
  expect(storedSize({ width: 3, height: 40_960 })).toEqual({ width: 1, height: 4096 });
});

it("refuses from the bytes alone, in one sentence with the file's name", async () => {
  const refused = async (blob: Blob) => {
    const outcome = await readImage(blob, { id: "p", title: "scan.png" });
    return outcome.ok ? undefined : outcome.failure.message;
  };
  expect(await refused(new Blob([]))).toBe("“scan.png” is empty.");
  expect(await refused(new Blob(["%PDF-1.7"]))).toMatch(/^“scan\.png” is not an image/);
  const unreadable = Object.assign(new Blob(["x"]), { arrayBuffer: () => Promise.reject(Error()) });
  expect(await refused(unreadable)).toBe("“scan.png” could not be read.");
  const vast = Object.defineProperty(new Blob(["x"]), "size", { value: MAX_FILE_BYTES + 1 });
  expect(await refused(vast)).toMatch(/256\.0.MB are the limit/);
});

it("keeps the bytes of a file that is deleted or changed on the disk after it was chosen", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-"));
  const file = path.join(folder, "scan.png");
  fs.copyFileSync(new URL("../../../public/samples/receipt.png", import.meta.url), file);
  vi.stubGlobal("createImageBitmap", async () => ({ width: 3, height: 4, close: () => undefined }));
  vi.stubGlobal(
    "Image",
    class {
      naturalWidth = 3;
      naturalHeight = 4;
      onload = () => undefined;
      set src(_: string) {
        queueMicrotask(() => this.onload());
      }
    },
  );
  const bytes = fs.readFileSync(file);
  const chosen = await fs.openAsBlob(file, { type: "image/png" });
  const outcome = await readImage(chosen, { id: "p", title: "scan.png" });
  fs.rmSync(folder, { recursive: true });
  await expect(chosen.arrayBuffer()).rejects.toThrow();
  if (!outcome.ok) throw new Error(outcome.failure.message);
  expect(outcome.notice).toBeUndefined();
  expect(outcome.image.blob.type).toBe("image/png");
  expect(Buffer.from(await outcome.image.blob.arrayBuffer()).equals(bytes)).toBe(true);
});
