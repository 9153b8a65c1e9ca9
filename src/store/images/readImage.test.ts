import { expect, it } from "vitest";
import { MAX_FILE_BYTES, readImage, storedSize } from "./readImage";

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
