import type { TurnResult } from "@/protocol/result";

/** Rows of a cache after compaction, per layer on average. */
interface HeldParts {
  /** Rows of all images of the conversation before any were dropped. */
  readonly imageRows: number;
  /** How many of them are held. */
  readonly keptRows: number;
  /** Rows of text, and of the answers so far. */
  readonly otherRows: number;
}

/** What the cache of an answer holds, from the positions that every layer kept. */
export function heldParts({ layers, images }: Pick<TurnResult, "layers" | "images">): HeldParts {
  const isImage = new Set<number>();
  for (const { firstPosition, gridRows, gridColumns } of images.flatMap(({ tiles }) => tiles)) {
    for (let row = 0; row < gridRows * gridColumns; row++) isImage.add(firstPosition + row);
  }
  let kept = 0;
  let held = 0;
  for (const layer of layers) {
    const lists = layer.keptPerHead ?? [layer.kept];
    const inImages = lists.flat().filter((position) => isImage.has(position)).length;
    kept += inImages / lists.length;
    held += layer.rowsAfter;
  }
  const count = Math.max(1, layers.length);
  return { imageRows: isImage.size, keptRows: kept / count, otherRows: (held - kept) / count };
}
