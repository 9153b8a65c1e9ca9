import type { CacheSnapshot, SnapshotHeader } from "@/model/kv/snapshot";
import type { Seen } from "../request/continuation";

/** A conversation's cache outside of the engine. */
export interface KeptCache {
  /** Identity of the weights that computed it, and how they were held. */
  readonly weights: string;
  readonly seen: Seen;
  readonly snapshot: CacheSnapshot;
}

/** Changes with the layout below. */
const FORMAT = "keepsight-cache-1";

interface Head extends Pick<KeptCache, "weights" | "seen"> {
  readonly format: typeof FORMAT;
  readonly header: SnapshotHeader;
  /** Bytes of each of the values that follow. */
  readonly lengths: readonly number[];
}

/** u32 length of the head, the head as JSON, the values one after the other. */
export function packCache({ weights, seen, snapshot: { header, values } }: KeptCache): Blob {
  const lengths = values.map(({ length }) => length);
  const head: Head = { format: FORMAT, weights, seen, header, lengths };
  const json = new TextEncoder().encode(JSON.stringify(head));
  return new Blob([new Uint32Array([json.length]), json, ...values]);
}

/** @returns undefined for anything but a whole cache of this format */
export async function unpackCache(blob: Blob): Promise<KeptCache | undefined> {
  let length = 0;
  let head: Head;
  try {
    [length = 0] = new Uint32Array(await blob.slice(0, 4).arrayBuffer());
    head = JSON.parse(await blob.slice(4, 4 + length).text());
  } catch {
    return undefined;
  }
  if (head.format !== FORMAT) return undefined;
  const bytes = new Uint8Array(await blob.slice(4 + length).arrayBuffer());
  if (bytes.length !== head.lengths.reduce((sum, each) => sum + each, 0)) return undefined;
  let at = 0;
  const values = head.lengths.map((each) => {
    at += each;
    return bytes.subarray(at - each, at);
  });
  return { weights: head.weights, seen: head.seen, snapshot: { header: head.header, values } };
}
