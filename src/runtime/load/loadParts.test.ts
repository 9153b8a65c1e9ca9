import { expect, it, vi } from "vitest";
import { allOf, LoadParts } from "./loadParts";

it("stops the other parts when one fails, and frees those that loaded, even if one cannot be freed", async () => {
  const parts = new LoadParts(new AbortController().signal);
  const { signal } = parts;
  const refused = new Error("no such file");
  const broken = vi.fn(async () => Promise.reject(new Error("the session is gone")));
  const freed = vi.fn();
  const stopped = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  const loading = allOf([
    parts.add(Promise.resolve(1), broken),
    parts.add(Promise.resolve(2), freed),
    parts.add(Promise.reject(refused)),
    parts.add(stopped),
  ]);
  await expect(loading).rejects.toBe(refused);
  await parts.free();
  expect(broken).toHaveBeenCalledWith(1);
  expect(freed).toHaveBeenCalledWith(2);
});
