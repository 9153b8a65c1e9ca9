import { afterEach, expect, test, vi } from "vitest";
import { newId } from "./newId";

afterEach(() => void vi.unstubAllGlobals());

test.each(["as on a secure address", "as on http"])("ids are random UUIDs, %s", (where) => {
  const getRandomValues = crypto.getRandomValues.bind(crypto);
  if (where === "as on http") vi.stubGlobal("crypto", { getRandomValues });
  const ids = Array.from({ length: 20 }, newId);
  expect(new Set(ids).size).toBe(20);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});
