import type { ImageLayout, LayerReport } from "@/protocol/result";

/** A part of an image, in fractions of its width and height. */
export interface PatchBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A visual row and its location. */
export interface Patch {
  /** Original prompt position of the row. */
  readonly position: number;
  readonly tile: number;
  readonly row: number;
  readonly column: number;
  /** Clipped to the image: padding that the model saw is not there. */
  readonly box: PatchBox;
}

/** Every visual row of an image whose place is at least partly inside of it. */
export function patchesOf(layout: ImageLayout): readonly Patch[] {
  return layout.tiles.flatMap((tile, tileIndex) => {
    const width = tile.box.width / tile.gridColumns;
    const height = tile.box.height / tile.gridRows;
    return Array.from({ length: tile.gridRows * tile.gridColumns }, (_, index) => {
      const row = Math.floor(index / tile.gridColumns);
      const column = index % tile.gridColumns;
      const box = clip({
        x: tile.box.x + column * width,
        y: tile.box.y + row * height,
        width,
        height,
      });
      return { position: tile.firstPosition + index, tile: tileIndex, row, column, box };
    }).filter(({ box }) => box.width > 0 && box.height > 0);
  });
}

function clip({ x, y, width, height }: PatchBox): PatchBox {
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  return {
    x: left,
    y: top,
    width: Math.min(1, x + width) - left,
    height: Math.min(1, y + height) - top,
  };
}

/** Number of visual rows of an image, padding included. */
export function rowCount(layout: ImageLayout): number {
  return layout.tiles.reduce((rows, tile) => rows + tile.gridRows * tile.gridColumns, 0);
}

/** How often the tiles cover the image: 2 with an overview tile. */
export function coverage(layout: ImageLayout): number {
  const area = layout.tiles.reduce((sum, tile) => {
    const { width, height } = clip(tile.box);
    return sum + Math.max(0, width) * Math.max(0, height);
  }, 0);
  return Math.max(1, Math.round(area));
}

/** Positions of the prompt's rows that a layer holds, at the end of the answer if it has ended: one list, or one per head. */
export function heldPositions({
  kept,
  keptPerHead,
  keptEnd,
}: LayerReport): readonly (readonly number[])[] {
  return keptEnd ?? keptPerHead ?? [kept];
}

/** How many of the prompt's rows a layer holds, mean over its heads. */
export function heldRows(layer: LayerReport): number {
  if (!layer.keptEnd) return layer.rowsAfter;
  return layer.keptEnd.reduce((sum, list) => sum + list.length, 0) / layer.keptEnd.length;
}

/**
 * Share of one layer's KV heads that hold each position, in (0, 1]; a dropped one is not in the map.
 */
export function keptShare(layer: LayerReport): ReadonlyMap<number, number> {
  const share = new Map<number, number>();
  const lists = heldPositions(layer);
  for (const list of lists) {
    for (const position of list) {
      share.set(position, (share.get(position) ?? 0) + 1 / lists.length);
    }
  }
  return share;
}

/** Mean over the layers of `keptShare`: 1 where every layer kept the row in every head. */
export function keptShareOfAll(layers: readonly LayerReport[]): ReadonlyMap<number, number> {
  const mean = new Map<number, number>();
  for (const layer of layers) {
    for (const [position, share] of keptShare(layer)) {
      mean.set(position, (mean.get(position) ?? 0) + share / layers.length);
    }
  }
  return mean;
}

/** Visual rows of an image that a layer kept; a fraction where its heads differ. */
export function keptRowCount(layout: ImageLayout, share: ReadonlyMap<number, number>): number {
  let kept = 0;
  for (const tile of layout.tiles) {
    const end = tile.firstPosition + tile.gridRows * tile.gridColumns;
    for (let position = tile.firstPosition; position < end; position++) {
      kept += share.get(position) ?? 0;
    }
  }
  return kept;
}

/** For each layer, its visual rows of an image that at least half of all layers kept. */
export function commonCounts(
  layers: readonly LayerReport[],
  layout: ImageLayout,
): readonly number[] {
  const mean = keptShareOfAll(layers);
  return layers.map((layer) => {
    const common = [...keptShare(layer)].filter(([position]) => (mean.get(position) ?? 0) >= 0.5);
    return Math.round(keptRowCount(layout, new Map(common)));
  });
}

/** Layers, counted from 0, that kept a position in at least one head. */
export function layersThatKept(
  layers: readonly LayerReport[],
  position: number,
): readonly number[] {
  return layers.flatMap((layer, index) => {
    return heldPositions(layer).some((list) => list.includes(position)) ? [index] : [];
  });
}

/** The finest patch at a point given in fractions of the image. */
export function patchAt(patches: readonly Patch[], x: number, y: number): Patch | undefined {
  let finest: Patch | undefined;
  for (const patch of patches) {
    const { box } = patch;
    const isInside = x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height;
    const area = box.width * box.height;
    if (isInside && (!finest || area < finest.box.width * finest.box.height)) finest = patch;
  }
  return finest;
}

/**
 * Opacity to draw a patch's overlay with, so that `overlaps` overlays over each other reach `full` where
 * all their rows were dropped.
 */
export function overlayAlpha(share: number, overlaps: number, full: number): number {
  return (1 - (1 - full) ** (1 / overlaps)) * (1 - share);
}
