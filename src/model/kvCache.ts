import type { Gpu } from "@/gpu/gpu";
import { KV_BYTES, type KvType } from "@/gpu/kernels/kvType";

/** Capacities are multiples of this many rows, per KV head. */
export const CAPACITY_STEP = 64;

/** u32 words per (layer, head) in the table: offset, rows, capacity, flat offset. */
const TABLE_WORDS = 4;

export interface KvShape {
  readonly layers: number;
  /** G */
  readonly kvHeads: number;
  /** D, a multiple of 4. */
  readonly headDim: number;
  readonly kvType: KvType;
  /** Radians per position of each rotated pair, [headDim / 2]; needed by `cacheIndex` alone. */
  readonly frequencies?: Float32Array;
}

/**
 * How the rotary position of the next token follows from the cache.
 * `original`: tokens seen so far. `layer0Length`: rows of layer 0, what the releases of Elastic
 * Cache and PrefixKV do. `cacheIndex`: by place in the cache; keys are turned to match (see
 * `indexPositions.ts`).
 */
export type PositionMode = "original" | "layer0Length" | "cacheIndex";

/** Buffers of one layer: the KV heads' regions one after the other, each [capacity, headDim]. */
export interface KvLayer {
  readonly k: GPUBuffer;
  readonly v: GPUBuffer;
}

/** Rows per [layer][head], for example those that stood before a prompt. */
export type RowCounts = readonly (readonly number[])[];

/** Where one head's rows lie in its layer's buffers, in rows. */
export interface KvRegion {
  readonly offset: number;
  readonly rows: number;
  readonly capacity: number;
}

interface LayerState {
  buffers: KvLayer | undefined;
  regions: readonly KvRegion[];
  /** Original position of each slot, ascending: one list for all heads, or one per head. */
  positions: number[][];
}

/** Rows rounded up to the capacity step. */
export function capacityFor(rows: number): number {
  return Math.ceil(rows / CAPACITY_STEP) * CAPACITY_STEP;
}

/**
 * Keys and values of everything seen so far, per layer and KV head, in our own buffers.
 *
 * Three numbers never mix: `rows` in use, `capacity` allocated, `position` of the next token. Between
 * answers the slots of a head are ordered by age; what happens to that order inside an answer is
 * described in `eviction.ts`. Buffers appear when rows are first needed and every capacity is the
 * rows rounded up to `CAPACITY_STEP`, so `bytes` is a function of the row counts alone.
 */
export class KvCache {
  readonly gpu: Gpu;
  readonly shape: KvShape;
  positionMode: PositionMode = "original";
  readonly #layers: LayerState[];
  #table: GPUBuffer | undefined;
  #seen = 0;
  /** Next position by place in the cache. */
  #placePosition = 0;
  #version = 0;

  private constructor(gpu: Gpu, shape: KvShape) {
    this.gpu = gpu;
    this.shape = shape;
    this.#layers = Array.from({ length: shape.layers }, () => emptyLayer(shape.kvHeads));
  }

  /** An empty cache; it owns no memory until rows are asked for. */
  static create(gpu: Gpu, shape: KvShape): KvCache {
    if (shape.headDim % 4 !== 0) throw new RangeError(`kv: headDim ${shape.headDim} is not 4n`);
    return new KvCache(gpu, shape);
  }

  /** Changes whenever a buffer was replaced: recorded programs must then be rebuilt. */
  get version(): number {
    return this.#version;
  }

  /** Tokens seen so far, dropped ones included: the original position of the next token. */
  get seen(): number {
    return this.#seen;
  }

  /** Rotary position of the next token. */
  get position(): number {
    if (this.positionMode === "original") return this.#seen;
    if (this.positionMode === "cacheIndex") return this.#placePosition;
    return Math.max(...this.#layer(0).regions.map(({ rows }) => rows));
  }

  /** Bytes of the live key and value buffers. */
  get bytes(): number {
    return this.#layers.reduce((sum, { buffers }) => {
      return buffers ? sum + buffers.k.size + buffers.v.size : sum;
    }, 0);
  }

  /** Bytes of one row of keys and values of one head. */
  get rowBytes(): number {
    return 2 * this.shape.headDim * KV_BYTES[this.shape.kvType];
  }

  /**
   * u32 [layers, kvHeads, 4]: offset of the head's region in its layer's buffers, rows in use,
   * capacity, and offset of the region when all layers are laid end to end. All in rows.
   */
  get table(): GPUBuffer {
    const { layers, kvHeads } = this.shape;
    this.#table ??= this.gpu.memory.storage(
      "activations",
      "kv table",
      layers * kvHeads * TABLE_WORDS * 4,
    );
    return this.#table;
  }

  /** Writes the current row counts to the table; call before each submit. */
  writeTable(): void {
    const { kvHeads } = this.shape;
    const words = new Uint32Array(this.shape.layers * kvHeads * TABLE_WORDS);
    let flat = 0;
    for (const [layer, { regions }] of this.#layers.entries()) {
      for (const [head, { offset, rows, capacity }] of regions.entries()) {
        words.set([offset, rows, capacity, flat], (layer * kvHeads + head) * TABLE_WORDS);
        flat += capacity;
      }
    }
    this.gpu.device.queue.writeBuffer(this.table, 0, words);
  }

  /** @throws RangeError while the layer has no rows: call `ensureRows` first. */
  layer(layer: number): KvLayer {
    const { buffers } = this.#layer(layer);
    if (!buffers) throw new RangeError(`kv: layer ${layer} has no buffers yet`);
    return buffers;
  }

  /** All layers' buffers, in order. */
  get layers(): readonly KvLayer[] {
    return this.#layers.map((_, layer) => this.layer(layer));
  }

  regions(layer: number): readonly KvRegion[] {
    return this.#layer(layer).regions;
  }

  /** Rows in use. */
  rows(layer: number, head = 0): number {
    return this.#region(layer, head).rows;
  }

  /** Rows of every layer and head as they stand now. */
  rowCounts(): RowCounts {
    return this.#layers.map(({ regions }) => regions.map(({ rows }) => rows));
  }

  /** Rows of all layers and heads when the regions are laid end to end, spare capacity included. */
  get flatRows(): number {
    return this.#layers.flatMap(({ regions }) => regions).reduce((sum, r) => sum + r.capacity, 0);
  }

  /** Original positions of the slots of a head. */
  positions(layer: number, head = 0): readonly number[] {
    const { positions } = this.#layer(layer);
    return positions[positions.length === 1 ? 0 : head] as number[];
  }

  /** Whether the heads of a layer hold different rows. */
  hasHeadLists(layer: number): boolean {
    return this.#layer(layer).positions.length > 1;
  }

  /** Makes room for `extra` more rows in every head, a layer at a time. */
  ensureRows(extra: number): void {
    this.#fit((rows) => rows + extra, "grow");
  }

  /** Gives capacity beyond the rows in use back, a layer at a time. */
  trim(): void {
    this.#fit((rows) => rows, "exact");
  }

  /** Counts `rows` new rows that a chunk or a step has written behind the newest ones. */
  append(rows: number): void {
    for (const [layer, state] of this.#layers.entries()) {
      state.regions = state.regions.map((region) => {
        if (region.rows + rows > region.capacity) {
          throw new RangeError(`kv: layer ${layer} has no room for ${rows} more rows`);
        }
        return { ...region, rows: region.rows + rows };
      });
      for (const list of state.positions) {
        for (let row = 0; row < rows; row++) list.push(this.#seen + row);
      }
    }
    this.#seen += rows;
    this.#placePosition += rows;
  }

  /** Counts positions by place on from here, after the keys were turned to match. */
  rebase(position: number): void {
    this.#placePosition = position;
  }

  /** Gives every head of a layer a list of positions of its own. */
  splitHeads(layer: number): void {
    const state = this.#layer(layer);
    if (state.positions.length > 1) return;
    const [shared = []] = state.positions;
    state.positions = state.regions.map(() => [...shared]);
  }

  /**
   * Counts one row of a layer out: the last slot's row has been copied over `slots[i]`, one slot per
   * list of positions; a negative one where the list lost none.
   */
  vacate(layer: number, slots: readonly number[]): void {
    const state = this.#layer(layer);
    for (const [i, list] of state.positions.entries()) {
      const slot = slots[i] as number;
      if (slot < 0) continue;
      const last = list.pop() as number;
      if (slot < list.length) list[slot] = last;
    }
    state.regions = state.regions.map((region, head) => {
      const list = state.positions[state.positions.length === 1 ? 0 : head] as number[];
      return { ...region, rows: list.length };
    });
  }

  /** Takes the `rows` newest rows of every head back, and their capacity. */
  truncate(rows: number): void {
    for (const { regions, positions } of this.#layers) {
      if (regions.some((region) => region.rows < rows)) {
        throw new RangeError(`kv: cannot take ${rows} rows back`);
      }
      for (const list of positions) list.length -= rows;
    }
    for (const state of this.#layers) {
      state.regions = state.regions.map((region) => ({ ...region, rows: region.rows - rows }));
    }
    this.#seen -= rows;
    this.#placePosition -= rows;
    this.trim();
  }

  /** A copy with buffers of its own. */
  fork(): KvCache {
    const copy = this.emptyCopy();
    const encoder = this.gpu.device.createCommandEncoder({ label: "kv fork" });
    for (const [layer, { buffers, regions, positions }] of this.#layers.entries()) {
      if (!buffers) continue;
      const created = copy.createBuffers(layer, regions);
      for (const name of ["k", "v"] as const) {
        encoder.copyBufferToBuffer(buffers[name], 0, created[name], 0, created[name].size);
      }
      copy.install(layer, created, regions, positions);
    }
    this.gpu.device.queue.submit([encoder.finish()]);
    return copy;
  }

  /** An empty cache of the same shape that has seen the same tokens, for a gathered fork. */
  emptyCopy(): KvCache {
    const copy = new KvCache(this.gpu, this.shape);
    copy.positionMode = this.positionMode;
    copy.#seen = this.#seen;
    copy.#placePosition = this.#placePosition;
    return copy;
  }

  /** Buffers that hold the regions of a layer; the caller installs or destroys them. */
  createBuffers(layer: number, regions: readonly KvRegion[]): KvLayer {
    const total = regions.reduce((sum, { capacity }) => sum + capacity, 0);
    const bytes = (total * this.rowBytes) / 2;
    const { maxStorageBufferBindingSize: limit } = this.gpu.device.limits;
    if (bytes > limit) {
      throw new RangeError(`kv: ${bytes} bytes for layer ${layer} exceed one binding (${limit})`);
    }
    const { memory } = this.gpu;
    const k = memory.storage("kv", `kv k ${layer}`, bytes);
    return { k, v: memory.storage("kv", `kv v ${layer}`, bytes) };
  }

  /** Makes `buffers` the layer's own and destroys the old ones. `positions`: one list, or one per head. */
  install(
    layer: number,
    buffers: KvLayer | undefined,
    regions: readonly KvRegion[],
    positions: readonly (readonly number[])[],
  ): void {
    const state = this.#layer(layer);
    this.#free(state);
    state.buffers = buffers;
    state.regions = regions;
    state.positions = positions.map((list) => [...list]);
    this.#version++;
  }

  /** States which rows the slots of a layer hold after a kernel has moved them in place. */
  relabel(layer: number, positions: readonly (readonly number[])[]): void {
    const state = this.#layer(layer);
    state.positions = positions.map((list) => [...list]);
    state.regions = state.regions.map((region, head) => {
      const list = positions[positions.length === 1 ? 0 : head] as readonly number[];
      return { ...region, rows: list.length };
    });
  }

  destroy(): void {
    for (const state of this.#layers) this.#free(state);
    if (this.#table) this.gpu.memory.destroy(this.#table);
    this.#table = undefined;
    this.#layers.splice(0, this.#layers.length);
    this.#version++;
  }

  #fit(need: (rows: number) => number, mode: "grow" | "exact"): void {
    for (const [layer, { regions }] of this.#layers.entries()) {
      const fits = regions.every(({ rows, capacity }) => {
        const wanted = capacityFor(need(rows));
        return mode === "grow" ? wanted <= capacity : wanted === capacity;
      });
      if (!fits)
        this.#move(
          layer,
          regions.map(({ rows }) => Math.max(rows, need(rows))),
        );
    }
  }

  /** Moves a layer into buffers that hold `needed` rows per head, then destroys the old ones. */
  #move(layer: number, needed: readonly number[]): void {
    const { buffers, regions, positions } = this.#layer(layer);
    const target = layoutRegions(
      regions.map(({ rows }) => rows),
      needed,
    );
    if (needed.every((rows) => rows === 0)) {
      this.install(layer, undefined, target, positions);
      return;
    }
    const created = this.createBuffers(layer, target);
    if (buffers) {
      const bytes = this.rowBytes / 2;
      const encoder = this.gpu.device.createCommandEncoder({ label: `kv move ${layer}` });
      for (const [head, { offset, rows }] of regions.entries()) {
        const to = (target[head] as KvRegion).offset;
        if (rows === 0) continue;
        for (const name of ["k", "v"] as const) {
          const args = [offset * bytes, created[name], to * bytes, rows * bytes] as const;
          encoder.copyBufferToBuffer(buffers[name], ...args);
        }
      }
      this.gpu.device.queue.submit([encoder.finish()]);
    }
    this.install(layer, created, target, positions);
  }

  #free(state: LayerState): void {
    if (!state.buffers) return;
    this.gpu.memory.destroy(state.buffers.k);
    this.gpu.memory.destroy(state.buffers.v);
    state.buffers = undefined;
  }

  #layer(layer: number): LayerState {
    const state = this.#layers[layer];
    if (!state) throw new RangeError(`kv: no layer ${layer}`);
    return state;
  }

  #region(layer: number, head: number): KvRegion {
    const region = this.#layer(layer).regions[head];
    if (!region) throw new RangeError(`kv: no head ${head} in layer ${layer}`);
    return region;
  }
}

/** Regions one after the other; capacities hold `needed` rows, of which `rows` are in use. */
export function layoutRegions(
  rows: readonly number[],
  needed: readonly number[] = rows,
): readonly KvRegion[] {
  let offset = 0;
  return rows.map((used, head) => {
    const capacity = capacityFor(needed[head] as number);
    const region = { offset, rows: used, capacity };
    offset += capacity;
    return region;
  });
}

function emptyLayer(kvHeads: number): LayerState {
  return {
    buffers: undefined,
    regions: Array.from({ length: kvHeads }, () => ({ offset: 0, rows: 0, capacity: 0 })),
    positions: [[]],
  };
}
