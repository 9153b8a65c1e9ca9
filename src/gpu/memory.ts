/**
 * Pools of live GPU bytes; charts and tests read their sums. `reference` holds the KV cache of the
 * full answer that a compressed one is compared with.
 */
export type Pool = "weights" | "kv" | "reference" | "activations" | "vision";

/** Live bytes per pool. */
type PoolBytes = Readonly<Record<Pool, number>>;

/** Bytes that an adapter, or the limit that was set, does not hold. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  /** Bytes that were needed. */
  readonly needed: number;
  /** Bytes that were free; undefined if only the driver knows. */
  readonly free: number | undefined;

  constructor(what: string, needed: number, free?: number) {
    const rest = free === undefined ? "were refused" : `do not fit into ${free}`;
    super(`${what}: ${needed} bytes ${rest}`);
    this.needed = needed;
    this.free = free;
  }
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
  #uploadBytes = 0;
  #overallPeak = 0;
  /** Called after every change; the runtime turns it into `memory` events. */
  onChange: (() => void) | undefined;
  /** Ceiling of all live bytes. WebGPU does not say how much memory an adapter has. */
  limit = Number.POSITIVE_INFINITY;
  #settling: Promise<void> = Promise.resolve();
  #refused: OutOfMemoryError | undefined;
  /** Buffers of the construction under way. */
  #made: GPUBuffer[] | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * A buffer of `size` bytes (rounded up to 4, at least 4). The driver may refuse it later: `check`.
   * @throws OutOfMemoryError above the device's largest buffer or the limit; nothing is allocated then
   */
  create(pool: Pool, label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const bytes = Math.max(4, Math.ceil(size / 4) * 4);
    const { maxBufferSize } = this.#device.limits;
    if (bytes > maxBufferSize) throw new OutOfMemoryError(label, bytes, maxBufferSize);
    this.require(label, bytes);
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer({ label, size: bytes, usage });
    this.#settle(this.#device.popErrorScope(), () => new OutOfMemoryError(label, bytes));
    this.#live.set(buffer, pool);
    this.#made?.push(buffer);
    this.#book(pool, bytes);
    return buffer;
  }

  /** Runs a construction; if it fails, the buffers that it has made are freed. */
  allOrNothing<T>(build: () => T): T {
    const outer = this.#made;
    const made: GPUBuffer[] = [];
    this.#made = made;
    try {
      return build();
    } catch (error) {
      for (const buffer of made) if (this.#live.has(buffer)) this.destroy(buffer);
      throw error;
    } finally {
      this.#made = outer;
      outer?.push(...made);
    }
  }

  /** Bytes that the limit leaves. */
  get free(): number {
    return this.limit - this.#total;
  }

  /** Checks a plan before its first buffer. @throws OutOfMemoryError */
  require(what: string, bytes: number): void {
    if (bytes > this.free) throw new OutOfMemoryError(what, bytes, this.free);
  }

  /** @throws OutOfMemoryError for the first buffer since the last check that is known to be refused */
  check(): void {
    const refused = this.#refused;
    this.#refused = undefined;
    if (refused) throw refused;
  }

  /** Waits until the driver has answered for every buffer. @throws OutOfMemoryError */
  async granted(): Promise<void> {
    await this.#settling;
    this.check();
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

  /** Highest sum of all pools and of what `countUpload` counts since `resetPeak`. */
  get overallPeak(): number {
    return this.#overallPeak;
  }

  /**
   * Counts bytes of an upload that are in no buffer yet: arrays, and the copies that a browser stages.
   * @param bytes negative: released
   */
  countUpload(bytes: number): void {
    this.#uploadBytes += bytes;
    this.#peakOverall();
  }

  resetPeak(): void {
    for (const pool of Object.keys(this.#bytes) as Pool[]) this.#peak[pool] = this.#bytes[pool];
    this.#cachesPeak = this.#bytes.kv + this.#bytes.reference;
    this.#overallPeak = 0;
    this.#peakOverall();
  }

  /** A lost device has its own error. */
  #settle(scope: Promise<GPUError | null>, refusal: () => OutOfMemoryError): void {
    const settled = scope.then(
      (error) => {
        if (error) this.#refused ??= refusal();
      },
      () => undefined,
    );
    this.#settling = Promise.all([this.#settling, settled]).then(() => undefined);
  }

  #book(pool: Pool, delta: number): void {
    this.#bytes[pool] += delta;
    this.#peak[pool] = Math.max(this.#peak[pool], this.#bytes[pool]);
    this.#cachesPeak = Math.max(this.#cachesPeak, this.#bytes.kv + this.#bytes.reference);
    this.#peakOverall();
    this.onChange?.();
  }

  get #total(): number {
    return Object.values(this.#bytes).reduce((sum, bytes) => sum + bytes, 0);
  }

  #peakOverall(): void {
    this.#overallPeak = Math.max(this.#overallPeak, this.#total + this.#uploadBytes);
  }
}

function nothing(): Record<Pool, number> {
  return { weights: 0, kv: 0, reference: 0, activations: 0, vision: 0 };
}
