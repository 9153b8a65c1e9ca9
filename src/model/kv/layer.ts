import type { Gpu } from "@/gpu/gpu";
import { copiedRows, kvRowBytes } from "@/gpu/kernels/kv/kvType";
import { OutOfMemoryError, type Pool } from "@/gpu/memory";
import { capacityFor, type KvRegion, type KvShape, layoutRegions } from "./layout";

/** Buffers of one layer: the KV heads' regions one after the other, each [capacity, headDim]. */
export interface KvLayer {
  readonly k: GPUBuffer;
  readonly v: GPUBuffer;
}

const TENSORS = ["k", "v"] as const;

/** Keys, values and positions of one layer. Only `KvCache` changes it. */
export class LayerRows {
  readonly #gpu: Gpu;
  readonly #shape: KvShape;
  readonly #layer: number;
  #buffers: KvLayer | undefined;
  #regions: readonly KvRegion[];
  #version = 0;
  #pool: Pool = "kv";
  /** Original position of each slot: one list for all heads, or one per head. */
  #positions: number[][] = [[]];

  constructor(gpu: Gpu, shape: KvShape, layer: number) {
    this.#gpu = gpu;
    this.#shape = shape;
    this.#layer = layer;
    this.#regions = layoutRegions(new Array<number>(shape.kvHeads).fill(0));
  }

  get buffers(): KvLayer | undefined {
    return this.#buffers;
  }

  /** Counts the replacements of the buffers. */
  get version(): number {
    return this.#version;
  }

  /** Rows that every head has room for. */
  get room(): number {
    return Math.min(...this.#regions.map(({ rows, capacity }) => capacity - rows));
  }

  get regions(): readonly KvRegion[] {
    return this.#regions;
  }

  get lists(): readonly (readonly number[])[] {
    return this.#positions;
  }

  /** Original positions of the slots of a head. */
  positions(head: number): readonly number[] {
    return this.#positions[this.#positions.length === 1 ? 0 : head] as number[];
  }

  append(rows: number, seen: number): void {
    if (this.#regions.some((region) => region.rows + rows > region.capacity)) {
      throw new RangeError(`kv: layer ${this.#layer} has no room for ${rows} more rows`);
    }
    for (const list of this.#positions) {
      for (let row = 0; row < rows; row++) list.push(seen + row);
    }
    this.#count();
  }

  truncate(rows: number): void {
    if (this.#regions.some((region) => region.rows < rows)) {
      throw new RangeError(`kv: layer ${this.#layer} has no ${rows} rows to take back`);
    }
    for (const list of this.#positions) list.length -= rows;
    this.#count();
  }

  splitHeads(): void {
    if (this.#positions.length > 1) return;
    const [shared = []] = this.#positions;
    this.#positions = this.#regions.map(() => [...shared]);
  }

  vacate(slots: readonly number[]): void {
    for (const [i, list] of this.#positions.entries()) {
      const slot = slots[i] as number;
      if (slot < 0) continue;
      const last = list.pop() as number;
      if (slot < list.length) list[slot] = last;
    }
    this.#count();
  }

  relabel(positions: readonly (readonly number[])[]): void {
    this.#positions = positions.map((list) => [...list]);
    this.#count();
  }

  /** Takes ownership of buffers, and of the positions that their regions hold, and destroys the old buffers. */
  install(buffers: KvLayer | undefined, regions: readonly KvRegion[], positions: number[][]): void {
    this.free();
    this.#version++;
    this.#buffers = buffers;
    this.#regions = regions;
    this.#positions = positions;
    this.#count();
  }

  /** Buffers for regions. @throws OutOfMemoryError above the adapter's largest binding */
  allocate(regions: readonly KvRegion[]): KvLayer {
    const total = regions.reduce((sum, { capacity }) => sum + capacity, 0);
    const bytes = total * this.#rowBytes;
    const { maxStorageBufferBindingSize: limit } = this.#gpu.device.limits;
    const label = `kv of layer ${this.#layer}`;
    if (bytes > limit) throw new OutOfMemoryError(label, bytes, limit);
    const { memory } = this.#gpu;
    memory.require(label, 2 * bytes);
    return memory.allOrNothing(() => ({
      k: memory.storage(this.#pool, `kv k ${this.#layer}`, bytes),
      v: memory.storage(this.#pool, `kv v ${this.#layer}`, bytes),
    }));
  }

  /**
   * Copies the rows into buffers with capacity for `needed` rows per head, then destroys the old
   * ones.
   */
  resize(needed: readonly number[]): void {
    const rows = this.#regions.map((region) => region.rows);
    const regions = layoutRegions(rows, needed);
    const isEmpty = needed.every((count) => count === 0);
    const created = isEmpty ? undefined : this.allocate(regions);
    if (created) this.#copyTo(created, regions);
    this.install(created, regions, this.#positions);
  }

  /** Whether the capacity equals `needed` rounded up, or is at least that. */
  fits(needed: readonly number[], mode: "exactly" | "atLeast"): boolean {
    return this.#regions.every(({ capacity }, head) => {
      const wanted = capacityFor(needed[head] as number);
      return mode === "atLeast" ? wanted <= capacity : wanted === capacity;
    });
  }

  /** Counts the present and later buffers in a pool. */
  countIn(pool: Pool): void {
    this.#pool = pool;
    for (const name of TENSORS) {
      if (this.#buffers) this.#gpu.memory.move(this.#buffers[name], pool);
    }
  }

  free(): void {
    for (const name of TENSORS) {
      if (this.#buffers) this.#gpu.memory.destroy(this.#buffers[name]);
    }
    this.#buffers = undefined;
  }

  /** Bytes of one row of keys, or of values. */
  get #rowBytes(): number {
    return kvRowBytes(this.#shape.kvType, this.#shape.headDim);
  }

  /** Copies the rows in use to other regions. */
  #copyTo(target: KvLayer, regions: readonly KvRegion[]): void {
    if (!this.#buffers) return;
    const encoder = this.#gpu.device.createCommandEncoder({ label: `kv copy ${this.#layer}` });
    for (const [head, { offset, rows }] of this.#regions.entries()) {
      const bytes = copiedRows(this.#shape.kvType, rows) * this.#rowBytes;
      const to = (regions[head] as KvRegion).offset * this.#rowBytes;
      if (bytes === 0) continue;
      for (const name of TENSORS) {
        const from = this.#buffers[name];
        encoder.copyBufferToBuffer(from, offset * this.#rowBytes, target[name], to, bytes);
      }
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  /** Row counts are the lengths of the positions. */
  #count(): void {
    this.#regions = this.#regions.map((region, head) => {
      return { ...region, rows: this.positions(head).length };
    });
  }
}
