import { type ByteSource, cut } from "@/model/checkpoint/byteSource";

/** A model directory in memory. */
export function memorySource(
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
): ByteSource & { readonly reads: readonly string[] } {
  const reads: string[] = [];
  return {
    reads,
    size: async (file) => files[file]?.length,
    async read(file, start, end, { onBytes } = {}) {
      reads.push(`${file} ${start}-${end}`);
      onBytes?.(end - start);
      return cut(file, files[file] as Uint8Array<ArrayBuffer>, start, end);
    },
  };
}

/** A safetensors file: the given header, then `dataBytes` zeros. */
export function safetensors(
  header: object | string,
  dataBytes: number,
  claimedBytes?: number,
): Uint8Array<ArrayBuffer> {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(claimedBytes ?? json.length), true);
  bytes.set(new TextEncoder().encode(json), 8);
  return bytes;
}
