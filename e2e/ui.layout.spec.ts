import { gzipSync } from "node:zlib";
import { expect, type Locator, type Page } from "@playwright/test";
import { expectAccessibleInBothThemes, expectNoOverflow } from "./pageChecks";
import { ask, openScripted, openSettings, showTime, standingIn } from "./scripted";
import { test } from "./test";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
] as const;
/** A laptop, and a phone on its side. */
const LOW = [
  { width: 1366, height: 650 },
  { width: 844, height: 390 },
] as const;

for (const viewport of [...SIZES, ...LOW]) {
  test(`${viewport.width} × ${viewport.height}: nothing sticks out, axe finds nothing, light and dark`, async ({
    page,
  }) => {
    await page.setViewportSize(viewport);
    await openScripted(page);
    const expectSound = async () => {
      await expectNoOverflow(page);
      await expectAccessibleInBothThemes(page);
    };
    await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
    await expectSound();
    await ask(page, "List the items.");
    await expect(page.getByRole("article", { name: "Answer" })).toHaveAttribute(
      "data-phase",
      "done",
    );
    await expectSound();
    if (viewport.width <= 720 || viewport.height <= 560) {
      await page.getByRole("button", { name: /^Cache settings/ }).click();
      await expect(page.getByRole("dialog", { name: "Cache" })).toBeVisible();
    }
    await openSettings(page);
    await expectSound();
    await page.keyboard.press("Escape");
    await showTime(page);
    await page.getByRole("button", { name: "Show data: Time per token" }).click();
    await expectSound();
  });
}

test("in a low window a wide image takes the width that its height leaves", async ({ page }) => {
  await page.setViewportSize(LOW[0]);
  await openScripted(page);
  const png = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    canvas.getContext("2d")?.fillRect(0, 0, 640, 360);
    return canvas.toDataURL().split(",")[1] as string;
  });
  const buffer = Buffer.from(png, "base64");
  const file = { name: "wide.png", mimeType: "image/png", buffer };
  await page.locator("main input[type=file]").first().setInputFiles(file);
  const image = page.getByRole("img", { name: "wide.png" }).first();
  await expect(image).toBeVisible();
  const shown = await image.evaluate((img) => {
    const { width, height } = img.getBoundingClientRect();
    return { width, height };
  });
  expect(shown.width / shown.height).toBeCloseTo(640 / 360, 1);
  expect(shown.height).toBeGreaterThan(170);
});

test("until it has loaded, the page takes at most 250 kB of JavaScript, compressed", async ({
  page,
}) => {
  await page.addInitScript(() =>
    addEventListener("load", () => {
      const entries = performance.getEntriesByType("resource").map(({ name }) => name);
      Object.assign(window, { scripts: entries.filter((name) => name.endsWith(".js")) });
    }),
  );
  await page.goto("./");
  const scripts = await page.evaluate(() => (window as unknown as { scripts: string[] }).scripts);
  expect(scripts.length).toBeGreaterThan(0);
  const sizes = scripts.map(async (script) => {
    return gzipSync(await (await page.request.get(script)).body()).length;
  });
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  expect(total, scripts.join()).toBeLessThan(250_000);
});

const WINDOWS = [
  { width: 1280, height: 720 },
  { width: 1366, height: 650 },
  { width: 1536, height: 730 },
  { width: 844, height: 390 },
] as const;

test("in windows of usual height only the transcript scrolls, the image is whole, and 200 % zoom hides nothing", async ({
  page,
}) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  // At 200 % zoom a window of 1280 × 800 has 640 × 400 CSS pixels.
  await page.setViewportSize({ width: 640, height: 400 });
  await expectNoOverflow(page);
  await expect(page.getByLabel("Question")).toBeInViewport();
  for (const size of WINDOWS) {
    await page.setViewportSize(size);
    const name = `${size.width} × ${size.height}`;
    const height = () => page.evaluate(() => document.documentElement.scrollHeight);
    await expect.poll(height, name).toBe(size.height);
    await expect(page.getByLabel("Question"), name).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole("article", { name: "Answer" }), name).toBeInViewport({ ratio: 1 });
    const viewer = page.getByRole("region", { name: "Viewer" });
    await expect(viewer.locator("figure"), name).toBeInViewport({ ratio: 0.9 });
    const over = (zone: Locator) => () =>
      zone.evaluate((each) => each.scrollHeight - each.clientHeight);
    await expect.poll(over(viewer), `${name}, viewer`).toBe(0);
    if (size.width < 1000) continue;
    await expect(viewer.getByText("Nothing leaves this device."), name).toBeInViewport();
    for (const zone of [viewer, page.getByRole("complementary", { name: "Cache" })]) {
      for (const chart of ["Time per token", "Stages", "Memory"]) {
        await page.getByRole("radio", { name: chart }).check();
        await expect.poll(over(zone), `${name}, ${chart}`).toBe(0);
      }
    }
  }
});

test("at 320 px no word is cut, and no text is smaller than 12 px", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await openScripted(page);
  await ask(page, "What is the total?");
  const cut = await page.evaluate(() => {
    // What only screen readers read is clipped away.
    const isClipped = (element: HTMLElement): boolean =>
      getComputedStyle(element).clipPath !== "none" ||
      (element.parentElement !== null && isClipped(element.parentElement));
    return [...document.querySelectorAll<HTMLElement>("header *, main *")].flatMap((element) => {
      const isRead = element.checkVisibility() && element.childElementCount === 0;
      if (!isRead || !element.innerText || isClipped(element)) return [];
      const { textOverflow, fontSize } = getComputedStyle(element);
      const isCut = textOverflow === "ellipsis" && element.scrollWidth > element.clientWidth + 1;
      return isCut || Number.parseFloat(fontSize) < 12 ? [element.outerHTML] : [];
    });
  });
  expect(cut).toEqual([]);
});

test("while an answer is waited for, the composer of a phone hides nothing of it", async ({
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openScripted(page, { script: standingIn("prefill") });
  await page.getByLabel("Question").fill("What is the total?");
  await page.keyboard.press("Enter");
  const live = page.locator("[data-live]");
  await expect(live.getByText(/reading/)).toBeVisible();
  const overlap = () =>
    page.evaluate(() => {
      const line = document.querySelector("[data-live] p")!.getBoundingClientRect();
      const composer = document.querySelector("form")!.parentElement!.getBoundingClientRect();
      return line.bottom - composer.top;
    });
  await expect.poll(overlap).toBeLessThan(0);
});

test("a wrong number in Keep is explained under it, and the last right one stays", async ({
  page,
}) => {
  await openScripted(page, { query: "keep=20" });
  const field = page.getByLabel("Keep percent");
  await field.fill("500");
  await expect(page.getByText("A whole number from 1 to 100.")).toBeVisible();
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await field.blur();
  await expect(field).toHaveValue("20");
  await expect(page.getByText("A whole number from 1 to 100.")).toBeHidden();
});

test("what is dropped on About is shown on the chat page", async ({ page }) => {
  await openScripted(page, { query: "#about" });
  await page.goto(`${page.url().split("#")[0]}#about`);
  await expect(page.getByRole("heading", { name: "What you see here" })).toBeVisible();
  const data = await page.evaluateHandle(async () => {
    const transfer = new DataTransfer();
    const image = await (await fetch("samples/card.png")).blob();
    transfer.items.add(new File([image], "mine.png", { type: "image/png" }));
    return transfer;
  });
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  await expect(page.getByRole("region", { name: "Viewer" })).toBeVisible();
  await expect(page.locator("figure img").first()).toHaveAttribute("alt", "mine.png");
});

test("charts without samples show no axis, and by turn they agree with the meter", async ({
  page,
}) => {
  await page.setViewportSize({ width: 1440, height: 1100 });
  const chart = (name: RegExp) => page.getByRole("img", { name });
  await openScripted(page);
  await expect(page.getByText("nothing cached yet").first()).toBeVisible();
  await expect(page.locator("[data-empty=true]")).toHaveCount(2);
  await ask(page, "What is the total?");
  await expect(page.locator("[data-empty=true]")).toHaveCount(0);
  await page.getByText("By turn", { exact: true }).filter({ visible: true }).click();
  await expect(chart(/^KV cache by turn/)).toBeVisible();
  const meter = await page.getByRole("meter").textContent();
  const [now, full] = meter!.split(" of ");
  const label = await chart(/^KV cache by turn/).getAttribute("aria-label");
  expect(label).toBe(`KV cache by turn: ${now} after turn 1, the full cache would be ${full}`);
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
