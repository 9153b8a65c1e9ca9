import fs from "node:fs";
import { openImageFile } from "@/images/file";
import { readImageHeader } from "@/images/header";
import { ImageError } from "@/images/imageError";
import { mutatedBytes } from "./mutate";
import { ensure, type FuzzTarget, isWhole, readOrRefused } from "./target";

const FOLDER = "fixtures/images";
const MAX_MEGAPIXELS = 400;

/** A bitmap of 5 × 3 pixels with 24 bits each. */
function bitmap(): Uint8Array {
  const bytes = new Uint8Array(54 + 16 * 3);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, 5],
    [22, 3],
    [26, 1 + (24 << 16)],
  ] as const) {
    view.setUint32(at, value, true);
  }
  return bytes;
}

/** What the page and the engine read of a file before they decode it. */
export function imageHeaders(): FuzzTarget<Uint8Array<ArrayBuffer>> {
  const files = fs.readdirSync(FOLDER).filter((name) => !name.endsWith(".md"));
  const seeds = files.map((name) => fs.readFileSync(`${FOLDER}/${name}`));
  return {
    name: "image",
    inputs: mutatedBytes([bitmap(), ...seeds]),
    async check(bytes) {
      const blob = new Blob([bytes]);
      const read = () => openImageFile(blob, "The file", MAX_MEGAPIXELS);
      const file = await readOrRefused(read, [ImageError]);
      if (!file) return;
      ensure(/^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(file.blob.type), file.blob.type);
      const repaired = new Uint8Array(await file.blob.arrayBuffer());
      const header = readImageHeader(repaired);
      ensure(header !== undefined, "the repaired file has no header");
      const { width, height, isTruncated, missingEnd, orientation } = header;
      ensure(isWhole(width) && isWhole(height), `${width} × ${height} pixels`);
      ensure(width * height <= MAX_MEGAPIXELS * 1e6, `${width * height} pixels`);
      ensure(!isTruncated && missingEnd === undefined, "the repaired file lacks its end");
      ensure(orientation === undefined, "the repaired file still has an orientation");
    },
  };
}
