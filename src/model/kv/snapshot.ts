import { copiedRows, type KvType, kvRowBytes } from "@/gpu/kernels/kv/kvType";
import type { KvCache, PositionMode } from "./cache";
import { type KvShape, layoutRegions } from "./layout";
import { TokenPositions, type TokenPositionsState } from "./tokenPositions";

/** Where the rows of a cache are and which they are; the values follow it. */
export interface SnapshotHeader {
  readonly shape: Pick<KvShape, "layers" | "kvHeads" | "headDim"> & { readonly kvType: KvType };
  readonly positionMode: PositionMode;
  readonly tokens: TokenPositionsState;
  /** [layers][one list, or one per head][rows]: original positions of the slots. */
  readonly positions: readonly (readonly (readonly number[])[])[];
}

/** A cache outside of the GPU. */
export interface CacheSnapshot {
  readonly header: SnapshotHeader;
  /** Per layer the keys of every head as the GPU holds them, for its rows or its blocks of rows, then the values. */
  readonly values: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Reads a cache back. The copies are submitted before this returns its promise, so the cache may change at
 * once; its capacity must be that of a cache at rest.
 */
export async function takeSnapshot(cache: KvCache): Promise<CacheSnapshot> {
  const { layers, kvHeads, headDim, kvType } = cache.shape;
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const heads = Array.from({ length: kvHeads }, (_, head) => head);
  const header: SnapshotHeader = {
    shape: { layers, kvHeads, headDim, kvType },
    positionMode: cache.positionMode,
    tokens: cache.tokens.state,
    positions: all.map((layer) =>
      (cache.hasHeadLists(layer) ? heads : [0]).map((head) => [...cache.positions(layer, head)]),
    ),
  };
  const rowBytes = kvRowBytes(kvType, headDim);
  const reads = all.flatMap((layer) => {
    const { k, v } = cache.layer(layer);
    const regions = cache.regions(layer);
    return [k, v].map(async (buffer) => {
      const bytes = new Uint8Array(await cache.gpu.read(buffer));
      return regions.map(({ offset, rows }) =>
        bytes.slice(offset * rowBytes, (offset + copiedRows(kvType, rows)) * rowBytes),
      );
    });
  });
  return { header, values: (await Promise.all(reads)).flat() };
}

/** Whether a cache can take a snapshot. */
export function isOfShape({ shape }: KvCache, { header }: CacheSnapshot): boolean {
  const sizes = ["layers", "kvHeads", "headDim", "kvType"] as const;
  return sizes.every((size) => header.shape[size] === shape[size]);
}

/**
 * Fills an empty cache with the rows of a snapshot of its shape.
 * @throws OutOfMemoryError; nothing was written then
 */
export async function restoreSnapshot(
  cache: KvCache,
  { header, values }: CacheSnapshot,
): Promise<void> {
  const { kvHeads, headDim, kvType } = cache.shape;
  const { memory, device } = cache.gpu;
  const rowBytes = kvRowBytes(kvType, headDim);
  for (const [layer, lists] of header.positions.entries()) {
    const rows = Array.from(
      { length: kvHeads },
      (_, head) => (lists[head] ?? lists[0] ?? []).length,
    );
    const regions = layoutRegions(rows);
    const positions = lists.map((list) => [...list]);
    cache.install(layer, cache.createBuffers(layer, regions), regions, positions);
  }
  await memory.granted();
  let next = 0;
  for (const layer of header.positions.keys()) {
    const { k, v } = cache.layer(layer);
    for (const buffer of [k, v]) {
      for (const { offset } of cache.regions(layer)) {
        const bytes = values[next++] ?? new Uint8Array();
        device.queue.writeBuffer(buffer, offset * rowBytes, bytes);
      }
    }
  }
  cache.positionMode = header.positionMode;
  cache.resume(TokenPositions.from(header.tokens));
}
