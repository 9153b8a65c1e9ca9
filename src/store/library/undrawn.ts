const KEY = "keepsight.undrawn";
const MOST = 16;

/**
 * Conversations that did not finish drawing because the page hung or was closed. The next visit
 * does not open them automatically.
 */
export interface Undrawn {
  has(id: string): boolean;
  /** A conversation is about to be drawn; it counts as undrawn until frames pass. */
  begin(id: string): void;
  /** Drawing it threw an error. */
  fail(id: string): void;
}

export interface UndrawnOptions {
  /**
   * Written synchronously, so that it persists if the page hangs; absent if the browser forbids
   * storage.
   */
  readonly storage: Pick<Storage, "getItem" | "setItem"> | undefined;
  /** Calls back after the next paint. */
  readonly afterDrawing: (call: () => void) => void;
}

export function createUndrawn({ storage, afterDrawing }: UndrawnOptions): Undrawn {
  const failed = new Set<string>();

  function read(): readonly string[] {
    try {
      const ids: unknown = JSON.parse(storage?.getItem(KEY) ?? "[]");
      return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === "string") : [];
    } catch {
      return [];
    }
  }

  function write(ids: readonly string[]) {
    try {
      storage?.setItem(KEY, JSON.stringify(ids.slice(-MOST)));
    } catch {
      // A full storage: a page that hangs is then opened again, as before.
    }
  }

  const without = (id: string) => read().filter((each) => each !== id);

  return {
    has: (id) => read().includes(id),
    begin(id) {
      write([...without(id), id]);
      afterDrawing(() => {
        if (!failed.has(id)) write(without(id));
      });
    },
    fail(id) {
      failed.add(id);
      write([...without(id), id]);
    },
  };
}
