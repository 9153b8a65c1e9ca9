import { expect, it, vi } from "vitest";
import { createPersistence } from "./persistence";

function browser(isPersisted = false) {
  const kept = new Map<string, string>();
  const manager = {
    persisted: vi.fn(async () => isPersisted),
    persist: vi.fn(async () => true),
  };
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  return { manager, storage };
}

it("asks once, over all visits", async () => {
  const { manager, storage } = browser();
  const ask = createPersistence(storage, manager);
  await Promise.all([ask(), ask()]);
  await createPersistence(storage, manager)();
  expect(manager.persist).toHaveBeenCalledTimes(1);
});

it("asks nothing where the data is kept already, or cannot be", async () => {
  const { manager, storage } = browser(true);
  await createPersistence(storage, manager)();
  expect(manager.persist).not.toHaveBeenCalled();
  await createPersistence(undefined, undefined)();
  const refusing = { ...manager, persisted: () => Promise.reject(new TypeError("no")) };
  await createPersistence(undefined, refusing)();
});
