import type { Gpu } from "@/gpu/gpu";
import { kvRowBytes } from "@/gpu/kernels/kv/kvType";
import type { Pool } from "@/gpu/memory";
import { type KvLayer, LayerRows } from "./layer";
import { growthFor, type KvRegion, type KvShape, type RowCounts } from "./layout";
import { type AxisPositions, TokenPositions } from "./tokenPositions";

/** u32 words per (layer, head) in the table: offset, rows, capacity, flat offset. */
const TABLE_WORDS = 4;
/** Rows before the end of a layer's capacity at which it grows. */
const LEAD = 16;

/**
 * How the rotary position of the next token is derived from the cache. `original`: as if no row had
 * been dropped. `layer0Length`: less by the rows that layer 0 has dropped, what the releases of Elastic Cache
 * and PrefixKV do. `cacheIndex`: by place in the cache; keys are rotated to match (see `indexPositions.ts`).
 */
export type PositionMode = "original" | "layer0Length" | "cacheIndex";

/**
 * The KV cache: keys and values per layer and KV head, in our own buffers.
 *
 * Three numbers are distinct: `rows` in use, `capacity` allocated, `position` of the next token.
 * Between answers the slots of a head are ordered by age; during an answer they may not be (see
 * `eviction.ts`). Buffers are allocated when rows are first needed. Between answers every capacity is
 * the rows rounded up to whole blocks (`KV_BLOCK`); while decoding it runs ahead of them (`growthFor`).
 */
export class KvCache {
  readonly gpu: Gpu;
  readonly shape: KvShape;
  positionMode: PositionMode = "original";
  readonly #layers: LayerRows[];
  readonly #words: Uint32Array<ArrayBuffer>;
  #table: GPUBuffer | undefined;
  #tokens = new TokenPositions();
  #version = 0;

  private constructor(gpu: Gpu, shape: KvShape) {
    this.gpu = gpu;
    this.shape = shape;
    const { layers: length, kvHeads } = shape;
    this.#words = new Uint32Array(length * kvHeads * TABLE_WORDS);
    this.#layers = Array.from({ length }, (_, layer) => new LayerRows(gpu, shape, layer));
  }

  /** An empty cache; it owns no memory until rows are asked for. */
  static create(gpu: Gpu, shape: KvShape): KvCache {
    if (shape.headDim % 4 !== 0) throw new RangeError(`kv: headDim ${shape.headDim} is not 4n`);
    return new KvCache(gpu, shape);
  }

  /** Changes whenever a buffer is replaced; recorded programs must then be rebuilt. */
  get version(): number {
    return this.#version;
  }

  /** Changes whenever the layer's buffers are replaced. */
  layerVersion(layer: number): number {
    return this.#layer(layer).version;
  }

  /** Tokens seen so far, dropped ones included: the index of the next token. */
  get seen(): number {
    return this.#tokens.seen;
  }

  /** Rotary position of the next token. */
  get position(): number {
    switch (this.positionMode) {
      case "original":
        return this.#tokens.position;
      case "layer0Length": {
        const rows = Math.max(...this.regions(0).map((region) => region.rows));
        return this.#tokens.position - (this.seen - rows);
      }
      case "cacheIndex":
        return this.#tokens.place;
      default:
        return this.positionMode satisfies never;
    }
  }

  /**
   * Rotary positions of a token: of one that is cached, as long as its key was not rotated to another place,
   * or of one that follows.
   */
  axisPositions(token: number): AxisPositions {
    const shift = this.position - this.#tokens.position;
    const [time, height, width] = this.#tokens.of(token);
    return [time + shift, height + shift, width + shift];
  }

  /** Count of the tokens and their positions as if no row had been dropped. */
  get tokens(): TokenPositions {
    return this.#tokens;
  }

  /** Bytes of the live key and value buffers. */
  get bytes(): number {
    return this.#layers.reduce((sum, { buffers }) => {
      return buffers ? sum + buffers.k.size + buffers.v.size : sum;
    }, 0);
  }

  /** Bytes of one row of keys and values of one head. */
  get rowBytes(): number {
    return 2 * kvRowBytes(this.shape.kvType, this.shape.headDim);
  }

  /**
   * u32 [layers, kvHeads, 4]: offset of the head's region in its layer's buffers, rows in use,
   * capacity, and offset of the region when all layers are concatenated. All in rows.
   */
  get table(): GPUBuffer {
    const { layers, kvHeads } = this.shape;
    const bytes = layers * kvHeads * TABLE_WORDS * 4;
    this.#table ??= this.gpu.memory.storage("activations", "kv table", bytes);
    return this.#table;
  }

  /** Writes the current row counts to the table; call before each submit. */
  writeTable(): void {
    this.gpu.device.queue.writeBuffer(this.table, 0, this.tableWords());
  }

  /** The table's present content. The next call overwrites it. */
  tableWords(): Uint32Array<ArrayBuffer> {
    let at = 0;
    let flat = 0;
    for (const { regions } of this.#layers) {
      for (const { offset, rows, capacity } of regions) {
        this.#words[at++] = offset;
        this.#words[at++] = rows;
        this.#words[at++] = capacity;
        this.#words[at++] = flat;
        flat += capacity;
      }
    }
    return this.#words;
  }

  /** @throws RangeError while the layer has no rows: call `ensureRows` first. */
  layer(layer: number): KvLayer {
    const { buffers } = this.#layer(layer);
    if (!buffers) throw new RangeError(`kv: layer ${layer} has no buffers yet`);
    return buffers;
  }

  /** Buffers of all layers, in order. */
  get layers(): readonly KvLayer[] {
    return this.#layers.map((_, layer) => this.layer(layer));
  }

  regions(layer: number): readonly KvRegion[] {
    return this.#layer(layer).regions;
  }

  /** Rows in use. */
  rows(layer: number, head = 0): number {
    const region = this.regions(layer)[head];
    if (!region) throw new RangeError(`kv: no head ${head} in layer ${layer}`);
    return region.rows;
  }

  /** Current rows of every layer and head. */
  rowCounts(): RowCounts {
    return this.#layers.map(({ regions }) => regions.map(({ rows }) => rows));
  }

  /** Sum of the capacities of all layers and heads, in rows. */
  get flatRows(): number {
    return this.#layers.flatMap(({ regions }) => regions).reduce((sum, r) => sum + r.capacity, 0);
  }

  /** Largest capacity of any head, in rows, of one layer or of all. */
  largestCapacity(layer?: number): number {
    const layers = layer === undefined ? this.#layers : [this.#layer(layer)];
    const capacities = layers.flatMap(({ regions }) => regions.map(({ capacity }) => capacity));
    return Math.max(...capacities);
  }

  /** Original positions of the slots of a head: indices of their tokens, in one order for all axes. */
  positions(layer: number, head = 0): readonly number[] {
    return this.#layer(layer).positions(head);
  }

  /** Whether the heads of a layer hold different rows. */
  hasHeadLists(layer: number): boolean {
    return this.#layer(layer).lists.length > 1;
  }

  /** Grows the capacity for `extra` more rows in every head, one layer at a time. */
  ensureRows(extra: number): void {
    this.#fit(() => extra, "atLeast");
  }

  /**
   * Room for the rows of the next `count` decoding steps, of which at most `most` will follow. Layers grow before
   * they are full, a few for each step, so that no step waits for all of them.
   */
  growAhead(count: number, most: number): void {
    let layers = Math.ceil((count * this.#layers.length) / LEAD);
    for (const layer of this.#layers) {
      const { room } = layer;
      if (room >= most || room >= count + (layers > 0 ? LEAD : 0)) continue;
      layer.resize(
        layer.regions.map(({ rows, capacity }) =>
          Math.min(rows + most, capacity + growthFor(rows)),
        ),
      );
      layers--;
      this.#version++;
    }
  }

  /**
   * Room for the row of a decoding step, of which at most `most` will follow. If a head lacks it, all
   * heads grow: readers of all layers' slots follow once and not once per layer.
   */
  ensureStep(most: number): void {
    const isFull = this.#layers.some(({ room }) => room === 0);
    if (isFull) this.#fit((rows) => Math.min(most, growthFor(rows)), "atLeast");
  }

  /** Releases capacity beyond the rows in use, one layer at a time. */
  trim(): void {
    this.#fit(() => 0, "exactly");
  }

  /** Counts `rows` new rows that a chunk or a step has appended. */
  append(rows: number): void {
    for (const layer of this.#layers) layer.append(rows, this.seen);
    this.#tokens.advance(rows);
  }

  /** Counts tokens that get no row. */
  skip(tokens: number): void {
    this.#tokens.advance(tokens);
  }

  /**
   * Removes the `rows` newest rows of every head and their capacity.
   * @param tokens seen since, more than `rows` if some were skipped
   */
  truncate(rows: number, tokens = rows): void {
    for (const layer of this.#layers) layer.truncate(rows);
    this.#tokens.truncate(tokens);
    this.trim();
  }

  /** Counts positions by place on from here, after the keys were rotated to match. */
  rebase(position: number): void {
    this.#tokens.rebase(position);
  }

  /** Gives every head of a layer its own list of positions. */
  splitHeads(layer: number): void {
    this.#layer(layer).splitHeads();
  }

  /**
   * Removes one row of a layer from the counts: the last slot's row was copied over `slots[i]`, one
   * slot per list of positions; negative if the list lost no row.
   */
  vacate(layer: number, slots: readonly number[]): void {
    this.#layer(layer).vacate(slots);
  }

  /** Sets the positions of a layer's slots after a kernel has moved rows in place. */
  relabel(layer: number, positions: readonly (readonly number[])[]): void {
    this.#layer(layer).relabel(positions);
  }

  /** Sets the count of tokens of an empty cache, whose rows are then installed. */
  resume(tokens: TokenPositions): void {
    this.#tokens = tokens;
  }

  /** An empty cache with the same shape and the same count of seen tokens, for a gathered fork. */
  emptyCopy(): KvCache {
    const copy = new KvCache(this.gpu, this.shape);
    copy.positionMode = this.positionMode;
    copy.#tokens = this.#tokens.copy();
    return copy;
  }

  /** Allocates buffers for the regions of a layer; the caller installs or destroys them. */
  createBuffers(layer: number, regions: readonly KvRegion[]): KvLayer {
    return this.#layer(layer).allocate(regions);
  }

  /**
   * Replaces the layer's buffers with `buffers` and destroys the old ones. `positions`: one list,
   * or one per head; they are the cache's from here on.
   */
  install(
    layer: number,
    buffers: KvLayer | undefined,
    regions: readonly KvRegion[],
    positions: number[][],
  ): void {
    this.#layer(layer).install(buffers, regions, positions);
    this.#version++;
  }

  /** Counts its bytes in a pool; a new cache counts in `kv`. */
  countIn(pool: Pool): void {
    for (const layer of this.#layers) layer.countIn(pool);
  }

  destroy(): void {
    for (const layer of this.#layers) layer.free();
    if (this.#table) this.gpu.memory.destroy(this.#table);
    this.#table = undefined;
    this.#layers.length = 0;
    this.#version++;
  }

  #fit(extra: (rows: number) => number, mode: "exactly" | "atLeast"): void {
    for (const layer of this.#layers) {
      const needed = layer.regions.map(({ rows }) => rows + extra(rows));
      if (layer.fits(needed, mode)) continue;
      layer.resize(needed);
      this.#version++;
    }
  }

  #layer(layer: number): LayerRows {
    const rows = this.#layers[layer];
    if (!rows) throw new RangeError(`kv: no layer ${layer}`);
    return rows;
  }
}
