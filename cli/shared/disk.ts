import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
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

/** First 16 hex digits of the SHA-256 of a model directory's safetensors. */
export function weightsRevision(directory: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(directory).sort()) {
    if (name.endsWith(".safetensors")) hash.update(readFileSync(path.join(directory, name)));
  }
  return hash.digest("hex").slice(0, 16);
}
