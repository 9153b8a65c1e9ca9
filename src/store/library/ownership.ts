/** How long another page may take to let a conversation go, as a reload does. */
const WAIT_MS = 500;

/** Which conversation this page writes. A conversation has one writer over all tabs of a browser. */
export interface Ownership {
  /** Locks a conversation and releases the previous one. @returns false if another page has it */
  take(id: string): Promise<boolean>;
}

/**
 * @param locks absent if the browser has none; every page then writes the conversation that it
 * shows
 */
export function createOwnership(
  locks: Pick<LockManager, "request"> | undefined = globalThis.navigator?.locks,
  waitMs = WAIT_MS,
): Ownership {
  let current: string | undefined;
  let release = () => {};
  /** Calls one after the other: two locks must not be waited for at once. */
  let last: Promise<boolean> = Promise.resolve(true);

  async function take(id: string): Promise<boolean> {
    if (id === current) return true;
    const freed = locks && (await lock(locks, `keepsight.conversation.${id}`, waitMs));
    if (freed === "taken") return false;
    release();
    release = freed ?? (() => {});
    current = id;
    return true;
  }

  return {
    take(id) {
      last = last.then(() => take(id));
      return last;
    },
  };
}

/** @returns a function that releases the lock; undefined if the browser refuses locks; "taken" */
function lock(
  locks: Pick<LockManager, "request">,
  name: string,
  waitMs: number,
): Promise<(() => void) | undefined | "taken"> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(waitMs);
    locks
      .request(name, { signal }, () => new Promise<void>((free) => resolve(() => free())))
      .catch(() => resolve(signal.aborted ? "taken" : undefined));
  });
}
