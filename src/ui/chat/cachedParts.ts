import type { TurnResult } from "@/protocol/result";
import { heldPositions } from "../overlayGeometry";

/** Rows of a cache at the end of an answer, per layer on average. */
interface CachedParts {
  /** Rows of all images of the conversation before any were dropped. */
  readonly imageRows: number;
  /** How many of them are in the cache. */
  readonly keptRows: number;
  /** Rows of text, answers included. */
  readonly otherRows: number;
}

/** What an answer's cache consists of, from the positions that every layer holds. */
export function cachedParts({
  layers,
  images,
}: Pick<TurnResult, "layers" | "images">): CachedParts {
  const isImage = new Set<number>();
  for (const { firstPosition, gridRows, gridColumns } of images.flatMap(({ tiles }) => tiles)) {
    for (let row = 0; row < gridRows * gridColumns; row++) isImage.add(firstPosition + row);
  }
  let kept = 0;
  let cached = 0;
  for (const layer of layers) {
    const lists = heldPositions(layer);
    const inImages = lists.flat().filter((position) => isImage.has(position)).length;
    kept += inImages / lists.length;
    cached += layer.rowsEnd ?? layer.rowsAfter;
  }
  const count = Math.max(1, layers.length);
  return { imageRows: isImage.size, keptRows: kept / count, otherRows: (cached - kept) / count };
}
