import { expect, test } from "vitest";
import { shortcutOf } from "./shortcuts";

const HERE = { isTyping: false, isCovered: false };
const NONE = {
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  isComposing: false,
  defaultPrevented: false,
};
const pressed = (key: string, more: Partial<typeof NONE> = {}) => ({ ...NONE, key, ...more });

test("keys work on the chat page; in a field, Esc alone", () => {
  expect(shortcutOf(pressed("/"), HERE)).toBe("question");
  expect(shortcutOf(pressed("C"), HERE)).toBe("compare");
  expect(shortcutOf(pressed("Escape"), HERE)).toBe("stop");
  expect(shortcutOf(pressed("c", { shiftKey: true }), HERE)).toBeUndefined();
  const typing = { ...HERE, isTyping: true };
  expect(["/", "c", "Escape"].map((key) => shortcutOf(pressed(key), typing))).toEqual([
    undefined,
    undefined,
    "stop",
  ]);
});

test("keys belong to what lies over the chat, to the browser, and to an input method", () => {
  for (const key of ["/", "c", "Escape"]) {
    expect(shortcutOf(pressed(key), { ...HERE, isCovered: true }), key).toBeUndefined();
    expect(shortcutOf(pressed(key, { ctrlKey: true }), HERE), key).toBeUndefined();
    expect(shortcutOf(pressed(key, { defaultPrevented: true }), HERE), key).toBeUndefined();
    expect(shortcutOf(pressed(key, { isComposing: true }), HERE), key).toBeUndefined();
  }
});
