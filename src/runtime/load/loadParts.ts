/** Parts of a model that load at the same time. If one fails, `signal` stops the others. */
export class LoadParts {
  readonly signal: AbortSignal;
  readonly #failed = new AbortController();
  readonly #cleanUps: (() => unknown)[] = [];

  constructor(stopped: AbortSignal) {
    this.signal = AbortSignal.any([stopped, this.#failed.signal]);
  }

  /** @param free frees the part once it has loaded, if the whole does not */
  async add<T>(loading: Promise<T>, free?: (loaded: T) => unknown): Promise<T> {
    try {
      const loaded = await loading;
      if (free) this.#cleanUps.push(() => free(loaded));
      return loaded;
    } catch (error) {
      this.#failed.abort(error);
      throw error;
    }
  }

  /** Frees the parts that have loaded. It never fails: what made the load fail is what is told. */
  async free(): Promise<void> {
    await Promise.allSettled(this.#cleanUps.map(async (cleanUp) => cleanUp()));
  }
}

/** Waits for every part, also after one has failed, because the others' buffers must be freed. */
export async function allOf<T extends readonly unknown[]>(
  parts: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  const settled = await Promise.allSettled(parts);
  const failures = settled.filter((result) => result.status === "rejected");
  const first = failures.find(({ reason }) => !(reason instanceof DOMException)) ?? failures[0];
  if (first) throw first.reason;
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as never as T;
}
