import fs from "node:fs/promises";
import path from "node:path";
import { type ByteSource, cut } from "@/model/checkpoint/byteSource";

/** A model directory on disk. */
export function diskSource(directory: string): ByteSource {
  return {
    async size(file) {
      try {
        return (await fs.stat(path.join(directory, file))).size;
      } catch {
        return undefined;
      }
    },
    async read(file, start, end, { onBytes } = {}) {
      const handle = await fs.open(path.join(directory, file));
      try {
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
        onBytes?.(bytesRead);
        return cut(file, bytes.subarray(0, bytesRead), 0, end - start);
      } finally {
        await handle.close();
      }
    },
  };
}
