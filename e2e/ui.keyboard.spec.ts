import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import { openScripted } from "./scripted";
import { test } from "./test";

/** Presses Tab, or Shift+Tab, until what is focused has this name; focus is to be seen on the way. */
async function tabTo(page: Page, name: string | RegExp, key: "Tab" | "Shift+Tab" = "Tab") {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press(key);
    const focused = await page.evaluate(describeFocus);
    if (!focused) continue;
    expect(focused.isSeen, `focus is to be seen on ${focused.name}`).toBe(true);
    const isIt = typeof name === "string" ? focused.name === name : name.test(focused.name);
    if (isIt) return;
  }
  throw new Error(`No way to ${name} by ${key}`);
}

/** Runs in the page: what has the focus, and whether something around it shows that. */
function describeFocus(): { readonly name: string; readonly isSeen: boolean } | undefined {
  const element = document.activeElement;
  if (!element || element === document.body) return undefined;
  const label = element instanceof HTMLInputElement ? element.labels?.[0] : undefined;
  const words =
    element.getAttribute("aria-label") ?? label?.innerText ?? (element as HTMLElement).innerText;
  const draws = (each: Element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0;
  };
  // A control drawn by its label is transparent; its focus is shown beside or around it.
  const around = [
    element,
    element.nextElementSibling,
    element.parentElement,
    element.closest("form > div, form, label"),
  ];
  const isSeen = around.some((each) => each !== null && each !== undefined && draws(each));
  return { name: (words ?? "").replace(/\s+/g, " ").trim(), isSeen };
}

test("ask, compare, change the layer and export, with the keyboard alone", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();

  await page.keyboard.press("/");
  await expect(page.getByRole("textbox", { name: "Question", exact: true })).toBeFocused();
  await page.keyboard.type("What is the total?");
  await page.keyboard.press("Enter");
  const answer = page.getByRole("article", { name: "Answer", exact: true });
  await expect(answer).toHaveAttribute("data-phase", "done");

  await page.getByRole("button", { name: "Ask again with…" }).press("Enter");
  const policies = page.getByRole("menuitem");
  for (const [key, name] of [
    ["End", /PixelPrune/],
    ["ArrowDown", /AirCache/],
    ["ArrowUp", /PixelPrune/],
    ["Home", /AirCache/],
  ] as const) {
    await page.keyboard.press(key);
    await expect(policies.and(page.locator(":focus")), key).toHaveText(name);
  }
  await page.keyboard.press("Tab");
  await expect(policies).toHaveCount(0);
  await page.keyboard.press("/");

  await tabTo(page, "Compare", "Shift+Tab");
  await page.keyboard.press("Enter");
  const lanes = page.getByRole("article", { name: /^Answer of/ });
  await expect(lanes).toHaveCount(3);
  await expect(lanes.last()).toHaveAttribute("data-phase", "done");

  await tabTo(page, /^All layers/, "Shift+Tab");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("heading", { name: /^Layer 1 kept/ })).toBeVisible();
  await page.keyboard.press("]");
  await expect(page.getByRole("heading", { name: /^Layer 2 kept/ })).toBeVisible();

  await tabTo(page, "History", "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page.locator("#library-panel")).toBeVisible();
  await tabTo(page, "Export What is the total? as HTML");
  const download = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  const file = await download;
  expect(file.suggestedFilename()).toBe("what-is-the-total.html");
  expect(fs.readFileSync(await file.path(), "utf8")).toContain("StreamingLLM 10");
  await page.keyboard.press("Escape");
  await expect(page.locator("#library-panel")).toBeHidden();
  await expect(page.getByRole("button", { name: "History", exact: true })).toBeFocused();
});
