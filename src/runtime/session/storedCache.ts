import type { CacheSnapshot, SnapshotHeader } from "@/model/kv/snapshot";
import type { Seen } from "../request/continuation";
import type { TurnStart } from "./cutBack";

/** A conversation's cache outside of the engine. */
interface StoredCache {
  /** Identity of the weights that computed it, and how they were held. */
  readonly weights: string;
  readonly seen: Seen;
  readonly starts: readonly TurnStart[];
  /** Those of `seen.tiles` that are unlike the images the model was trained on, each once. */
  readonly unfamiliar: readonly string[];
  readonly snapshot: CacheSnapshot;
}

/** Changes with the layout below. */
const FORMAT = "keepsight-cache-4";
/** Bytes of a SHA-256. */
const DIGEST_BYTES = 32;

interface Head extends Pick<StoredCache, "weights" | "seen" | "starts" | "unfamiliar"> {
  readonly format: typeof FORMAT;
  readonly header: SnapshotHeader;
  /** Bytes of each of the values that follow. */
  readonly lengths: readonly number[];
}

/** SHA-256 of the rest, u32 length of the head, the head as JSON, the values one after the other. */
export async function packCache({
  weights,
  seen,
  starts,
  unfamiliar,
  snapshot: { header, values },
}: StoredCache): Promise<Blob> {
  const lengths = values.map(({ length }) => length);
  const head: Head = { format: FORMAT, weights, seen, starts, unfamiliar, header, lengths };
  const json = new TextEncoder().encode(JSON.stringify(head));
  const content = new Blob([new Uint32Array([json.length]), json, ...values]);
  return new Blob([await digestOf(content), content]);
}

/** @returns undefined for anything but a file that `packCache` wrote, byte for byte */
export async function unpackCache(blob: Blob): Promise<StoredCache | undefined> {
  const content = blob.slice(DIGEST_BYTES);
  const stored = new Uint8Array(await blob.slice(0, DIGEST_BYTES).arrayBuffer());
  const digest = new Uint8Array(await digestOf(content));
  if (!digest.every((byte, i) => byte === stored[i])) return undefined;
  const [length = 0] = new Uint32Array(await content.slice(0, 4).arrayBuffer());
  const head: Head = JSON.parse(await content.slice(4, 4 + length).text());
  if (head.format !== FORMAT) return undefined;
  const bytes = new Uint8Array(await content.slice(4 + length).arrayBuffer());
  let at = 0;
  const values = head.lengths.map((each) => {
    at += each;
    return bytes.subarray(at - each, at);
  });
  const { weights, seen, starts, unfamiliar, header } = head;
  return { weights, seen, starts, unfamiliar, snapshot: { header, values } };
}

async function digestOf(content: Blob): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", await content.arrayBuffer());
}
