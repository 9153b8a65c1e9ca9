import { expect, type Page } from "@playwright/test";
import { ask, openScripted, showTime } from "./scripted";
import { test } from "./test";

/** Counts drawings of charts from here on, by their user timings. */
async function countDraws(page: Page): Promise<void> {
  await page.evaluate(() => {
    const counted = Object.assign(window, { draws: 0 });
    const { measure } = Performance.prototype;
    Performance.prototype.measure = function (name, ...options) {
      if (name === "keepsight chart") counted.draws += 1;
      return measure.call(this, name, ...options);
    };
  });
}

const draws = (page: Page) => page.evaluate(() => (window as unknown as { draws: number }).draws);

async function drawsOf(page: Page, action: () => Promise<void>): Promise<number> {
  const before = await draws(page);
  await action();
  return (await draws(page)) - before;
}

/** Waits for the drawings that are on their way: after a tenth of a second, in the frame after that. */
const drawn = (page: Page) =>
  page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await new Promise((done) => setTimeout(done, 150));
    for (let count = 0; count < 3; count++) await frame();
  });

const answer = (page: Page) => () => ask(page, "List the items.");

async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

test("charts draw while they can be seen, and not in a hidden tab", async ({ page }) => {
  await openScripted(page, { pace: 0.1 });
  await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
  await countDraws(page);
  expect(await drawsOf(page, answer(page))).toBeGreaterThan(4);
  await drawn(page);
  expect(await drawsOf(page, () => page.waitForTimeout(500))).toBe(0);

  await hide(page, true);
  expect(await drawsOf(page, answer(page))).toBe(0);
  const before = await draws(page);
  await hide(page, false);
  await expect.poll(() => draws(page)).toBeGreaterThan(before);
});

test("charts behind another cost no drawing, and catch up", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 660 });
  await openScripted(page, { pace: 0.05, query: "policy=aircache" });
  await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
  await page.getByRole("radio", { name: "Stages" }).check();
  await countDraws(page);
  const chart = page.getByRole("img", { name: /^Time per token/ });
  await expect(chart).toBeHidden();
  await drawn(page);
  expect(await drawsOf(page, answer(page))).toBe(0);
  const before = await draws(page);
  await showTime(page);
  await expect(chart.locator("canvas")).toBeVisible();
  await expect.poll(() => draws(page)).toBeGreaterThan(before);
});

test("charts in a closed sheet cost no drawing", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openScripted(page, { pace: 0.05 });
  await expect(page.getByLabel("Question")).toBeVisible();
  await countDraws(page);
  expect(await drawsOf(page, answer(page))).toBe(0);
  const before = await draws(page);
  await page.getByRole("button", { name: /^Cache settings/ }).click();
  await page.getByRole("img", { name: /^KV cache over time: now/ }).scrollIntoViewIfNeeded();
  await expect.poll(() => draws(page)).toBeGreaterThan(before);
  await page.getByRole("button", { name: "Done" }).click();
  await drawn(page);
  expect(await drawsOf(page, answer(page))).toBe(0);
});

test("whoever asked for less motion gets a few steady images", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openScripted(page, { pace: 0.3 });
  await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
  await countDraws(page);
  const from = Date.now();
  const drawn = await drawsOf(page, answer(page));
  // Two charts, at most twice a second each, and once at the start.
  expect(drawn).toBeLessThanOrEqual(2 * (2 + Math.ceil((Date.now() - from) / 500)));
  expect(drawn).toBeGreaterThan(0);
});

test("the charts look back over the turns, for eyes, keys and spreadsheets", async ({
  page,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openScripted(page, { query: "policy=full" });
  await ask(page, "What is the date?");
  await page.getByLabel("Policy", { exact: true }).selectOption("aircache");
  await ask(page, "List the items.");
  await expect(page.getByRole("article", { name: "Answer" })).toHaveCount(2);
  await page.setViewportSize({ width: 1280, height: 1100 });
  await page.getByText("By turn", { exact: true }).filter({ visible: true }).click();

  const bytes = page.getByRole("img", { name: /^KV cache by turn: 0\.\d\d\sMB after turn 2/ });
  await expect(bytes.locator("canvas")).toBeVisible();
  await expect(
    page.getByRole("img", { name: /^Time per token by turn: .* in turn 2/ }),
  ).toBeVisible();

  const keys = page.getByRole("slider", { name: "Read values: KV cache by turn" });
  await keys.focus();
  await page.keyboard.press("ArrowRight");
  await expect(keys).toHaveAttribute("aria-valuetext", /^turn 1 .* of .*MB/);
  await page.keyboard.press("End");
  await expect(keys).toHaveAttribute("aria-valuetext", /^turn 2/);
  await expect(keys).toHaveAttribute("aria-valuenow", "1");

  await page.getByRole("button", { name: "Show data: KV cache by turn" }).click();
  const table = page.getByRole("table", { name: "KV cache by turn" });
  await expect(table.getByRole("row")).toHaveCount(3);
  await expect(table.getByRole("row").nth(1)).toContainText("Full cache");
  await page.getByRole("button", { name: "Copy CSV" }).click();
  const csv = () => page.evaluate(() => navigator.clipboard.readText());
  await expect
    .poll(csv)
    .toMatch(/^turn,answered with,KV bytes,full KV bytes\r?\n1,Full cache,2621440,2621440/);

  // The pointer reads the same values.
  await page.keyboard.press("Escape");
  await page.getByText("Over time", { exact: true }).filter({ visible: true }).click();
  const chart = page.getByRole("img", { name: /^Time per token: median/ });
  const readout = page.locator("output").filter({ hasText: /^token \d+ .*ms/ });
  // A chart that was scrolled out of view is drawn shortly after it becomes visible.
  await expect(async () => {
    await page.mouse.move(0, 0);
    await chart.hover();
    await expect(readout).toBeVisible({ timeout: 1000 });
  }).toPass();
});
