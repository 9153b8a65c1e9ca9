import { expect, type Page } from "@playwright/test";
import { expectAccessible, expectNoOverflow } from "./pageChecks";
import { ask, openScripted } from "./scripted";
import { test } from "./test";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
] as const;

for (const viewport of SIZES) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`${viewport.width} × ${viewport.height}, ${colorScheme}: nothing sticks out, axe finds nothing`, async ({
      page,
    }) => {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await openScripted(page);
      await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
      await expectNoOverflow(page);
      await expectAccessible(page);
      await ask(page, "List the items.");
      await expect(page.getByRole("article", { name: "Answer" })).toHaveAttribute(
        "data-phase",
        "done",
      );
      await expectNoOverflow(page);
      await expectAccessible(page);
      if (viewport.width <= 720) {
        await page.getByRole("button", { name: /^Cache settings/ }).click();
        await expect(page.getByRole("dialog", { name: "Cache" })).toBeVisible();
      }
      await page.getByText("Options", { exact: true }).click();
      await page.getByRole("button", { name: "Show data: Time per token" }).click();
      await expectNoOverflow(page);
      await expectAccessible(page);
    });
  }
}

test("the layout holds at 200 % zoom", async ({ page }) => {
  // A window of 1280 × 800 at 200 % has 640 × 400 CSS pixels.
  await page.setViewportSize({ width: 640, height: 400 });
  await openScripted(page);
  await ask(page, "What is the total?");
  await expectNoOverflow(page);
  await expect(page.getByLabel("Question")).toBeInViewport();
});

/** Records every layout shift from here on, except within half a second of an input. */
async function watchShifts(page: Page): Promise<void> {
  await page.evaluate(() => {
    const shifts: Shift[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as LayoutShift[]) {
        const from = ({ node }: LayoutShift["sources"][number]) =>
          node instanceof Element ? node.outerHTML.slice(0, 90) : String(node?.textContent);
        const { value, hadRecentInput, sources } = entry;
        if (!hadRecentInput) shifts.push({ value, moved: sources.map(from) });
      }
    }).observe({ type: "layout-shift" });
  });
}

/** Chromium's layout-shift entry, which is missing in the DOM's types. */
interface LayoutShift {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly sources: readonly { readonly node: Node | null }[];
}

interface Shift {
  readonly value: number;
  readonly moved: readonly string[];
}

async function expectStill(page: Page): Promise<void> {
  // Entries are delivered shortly after their frame.
  await page.waitForTimeout(200);
  const shifts = await page.evaluate(() => (window as unknown as { shifts: Shift[] }).shifts);
  const total = shifts.reduce((sum, { value }) => sum + value, 0);
  const worst = shifts.toSorted((a, b) => b.value - a.value).slice(0, 3);
  expect(total, JSON.stringify(worst, undefined, 1)).toBeLessThan(0.02);
}

for (const viewport of SIZES.slice(0, 3)) {
  test(`nothing jumps while an answer streams at ${viewport.width} px`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await openScripted(page, { pace: 0.1 });
    await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
    await watchShifts(page);
    await ask(page, "List the items.");
    await ask(page, "What is the total?");
    const answer = page.getByRole("article", { name: "Answer" }).last();
    await expect(answer).toHaveAttribute("data-phase", "done");
    await expectStill(page);
  });

  test(`nothing jumps while three lanes stream at ${viewport.width} px`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await openScripted(page, { pace: 0.1, query: "policy=aircache&keep=10" });
    await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
    await page.keyboard.press("c");
    await expect(page.getByLabel("Policy of lane 3")).toBeVisible();
    await page.getByLabel("Question").fill("List the items.");
    await watchShifts(page);
    await page.keyboard.press("Enter");
    await expect(page.locator("article[data-phase=done]")).toHaveCount(3);
    await expectStill(page);
  });
}
