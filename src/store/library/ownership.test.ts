import { describe, expect, test } from "vitest";
import { createOwnership } from "./ownership";

/** Locks as browsers have them: one holder per name, the others wait until their signal. */
function browserLocks(): Pick<LockManager, "request"> {
  const held = new Map<string, Promise<unknown>>();
  const request = async (
    name: string,
    { signal }: { readonly signal: AbortSignal },
    use: () => Promise<unknown>,
  ) => {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
    aborted.catch(() => undefined);
    while (held.has(name)) await Promise.race([held.get(name), aborted]);
    const done = use();
    held.set(name, done);
    await done;
    held.delete(name);
  };
  return { request } as Pick<LockManager, "request">;
}

describe("a conversation", () => {
  test("has one writer over all pages", async () => {
    const locks = browserLocks();
    const [first, second] = [createOwnership(locks, 20), createOwnership(locks, 20)];
    expect(await first.take("a")).toBe(true);
    expect(await second.take("a")).toBe(false);
    expect(await second.take("b")).toBe(true);
    expect(await first.take("a")).toBe(true);
  });

  test("is free once its page has gone on to another, also while somebody waits for it", async () => {
    const locks = browserLocks();
    const [first, second] = [createOwnership(locks, 200), createOwnership(locks, 200)];
    await first.take("a");
    const waiting = second.take("a");
    await first.take("b");
    expect(await waiting).toBe(true);
    expect(await first.take("a")).toBe(false);
  });

  test("is written by every page where the browser has no locks, or refuses them", async () => {
    const refusing = {
      request: () => Promise.reject(new DOMException("", "SecurityError")),
    } as unknown as LockManager;
    for (const locks of [undefined, refusing]) {
      expect(await createOwnership(locks, 20).take("a")).toBe(true);
    }
  });
});
