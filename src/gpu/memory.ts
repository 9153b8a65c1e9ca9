/**
 * Pools of live GPU bytes; charts and tests read their sums. `reference` holds the KV cache of the
 * full answer that a compressed one is compared with.
 */
export type Pool = "weights" | "kv" | "reference" | "activations" | "vision";

/** Live bytes per pool. */
export type PoolBytes = Readonly<Record<Pool, number>>;

/** A buffer that the adapter cannot hold. Nothing was allocated. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
}

/**
 * The only place that creates and destroys GPU buffers. WebGPU reports no memory use, so memory on
 * the page means the bytes of buffers that this class has created and not yet destroyed.
 */
export class Memory {
  readonly #device: GPUDevice;
  readonly #live = new Map<GPUBuffer, Pool>();
  readonly #bytes: Record<Pool, number> = nothing();
  readonly #peak: Record<Pool, number> = nothing();
  #cachesPeak = 0;
  /** Called after every change; the runtime turns it into `memory` events. */
  onChange: (() => void) | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * A buffer of `size` bytes (rounded up to 4, at least 4).
   * @throws OutOfMemoryError above the device's limit, before anything is allocated.
   */
  create(pool: Pool, label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const bytes = Math.max(4, Math.ceil(size / 4) * 4);
    if (bytes > this.#device.limits.maxBufferSize) {
      throw new OutOfMemoryError(`${label}: ${bytes} bytes exceed the adapter's largest buffer`);
    }
    const buffer = this.#device.createBuffer({ label, size: bytes, usage });
    this.#live.set(buffer, pool);
    this.#book(pool, bytes);
    return buffer;
  }

  /** Storage buffer that can be copied from and to. */
  storage(pool: Pool, label: string, size: number): GPUBuffer {
    return this.create(
      pool,
      label,
      size,
      GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    );
  }

  /** Destroys a buffer of this ledger; submitted work still completes. */
  destroy(buffer: GPUBuffer): void {
    const pool = this.#live.get(buffer);
    if (pool === undefined) throw new Error(`${buffer.label}: destroyed twice or not ours`);
    this.#live.delete(buffer);
    this.#book(pool, -buffer.size);
    buffer.destroy();
  }

  /**
   * Counts a live buffer in another pool from here on. `onChange` is not called: nothing was
   * allocated, and the sums between two moves mean nothing.
   */
  move(buffer: GPUBuffer, pool: Pool): void {
    const from = this.#live.get(buffer);
    if (from === undefined) throw new Error(`${buffer.label}: destroyed or not ours`);
    this.#live.set(buffer, pool);
    this.#bytes[from] -= buffer.size;
    this.#bytes[pool] += buffer.size;
    this.#peak[pool] = Math.max(this.#peak[pool], this.#bytes[pool]);
  }

  get bytes(): PoolBytes {
    return { ...this.#bytes };
  }

  /** Highest sum of a pool since `resetPeak`. */
  peak(pool: Pool): number {
    return this.#peak[pool];
  }

  /** Highest sum of the pools `kv` and `reference` together since `resetPeak`. */
  get cachesPeak(): number {
    return this.#cachesPeak;
  }

  resetPeak(): void {
    for (const pool of Object.keys(this.#bytes) as Pool[]) this.#peak[pool] = this.#bytes[pool];
    this.#cachesPeak = this.#bytes.kv + this.#bytes.reference;
  }

  #book(pool: Pool, delta: number): void {
    this.#bytes[pool] += delta;
    this.#peak[pool] = Math.max(this.#peak[pool], this.#bytes[pool]);
    this.#cachesPeak = Math.max(this.#cachesPeak, this.#bytes.kv + this.#bytes.reference);
    this.onChange?.();
  }
}

function nothing(): Record<Pool, number> {
  return { weights: 0, kv: 0, reference: 0, activations: 0, vision: 0 };
}
