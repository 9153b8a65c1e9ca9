/** Pools of live GPU bytes; charts and tests read their sums. */
export type Pool = "weights" | "kv" | "activations" | "vision";

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
  readonly #bytes: Record<Pool, number> = { weights: 0, kv: 0, activations: 0, vision: 0 };
  readonly #peak: Record<Pool, number> = { weights: 0, kv: 0, activations: 0, vision: 0 };
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

  get bytes(): PoolBytes {
    return { ...this.#bytes };
  }

  /** Highest sum of a pool since `resetPeak`. */
  peak(pool: Pool): number {
    return this.#peak[pool];
  }

  resetPeak(): void {
    for (const pool of Object.keys(this.#bytes) as Pool[]) this.#peak[pool] = this.#bytes[pool];
  }

  #book(pool: Pool, delta: number): void {
    this.#bytes[pool] += delta;
    this.#peak[pool] = Math.max(this.#peak[pool], this.#bytes[pool]);
    this.onChange?.();
  }
}
