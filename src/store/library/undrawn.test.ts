import { expect, test } from "vitest";
import { createUndrawn } from "./undrawn";

function setUp() {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const frames: (() => void)[] = [];
  const visit = () => createUndrawn({ storage, afterDrawing: (call) => void frames.push(call) });
  return { kept, visit, draw: () => frames.splice(0).forEach((call) => void call()) };
}

test("what was drawn is opened again, what hung the page is not", () => {
  const { visit, draw } = setUp();
  const first = visit();
  first.begin("a");
  draw();
  first.begin("b");
  const second = visit();
  expect([second.has("a"), second.has("b")]).toEqual([false, true]);
  // Opened by hand, and this time it is drawn.
  second.begin("b");
  draw();
  expect(visit().has("b")).toBe(false);
});

test("an error while drawing stands, whatever frames pass", () => {
  const { visit, draw } = setUp();
  const page = visit();
  page.begin("a");
  page.fail("a");
  draw();
  expect(visit().has("a")).toBe(true);
});

test("storage that is damaged, full or forbidden is no failure", () => {
  const { kept, visit } = setUp();
  kept.set("keepsight.undrawn", "{");
  expect(visit().has("a")).toBe(false);
  const full = {
    getItem: () => "[3]",
    setItem: () => {
      throw new DOMException("", "QuotaExceededError");
    },
  };
  for (const storage of [full, undefined]) {
    const page = createUndrawn({ storage, afterDrawing: (call) => call() });
    page.begin("a");
    expect(page.has("a")).toBe(false);
  }
});
