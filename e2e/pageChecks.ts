import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** The page does not scroll horizontally. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const extra = () =>
    page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
  await expect.poll(extra).toBe(0);
}

/** No text extends beyond the window, and the page does not scroll horizontally. */
export async function expectNoOverflow(page: Page): Promise<void> {
  await expectNoSidewaysScroll(page);
  const out = () =>
    page.evaluate(() =>
      [...document.querySelectorAll("p, span, b, h1, h2, button, label, select, input")]
        .filter((element) => element.checkVisibility() && !element.closest(".unseen"))
        .filter((element) => !element.closest("ul, [class*=suggestions]"))
        .filter((element) => {
          const { left, right, width } = element.getBoundingClientRect();
          return width > 0 && (left < -1 || right > innerWidth + 1);
        })
        .map((element) => element.outerHTML.slice(0, 80)),
    );
  await expect.poll(out).toEqual([]);
}

/** axe's rules about colours. */
const COLOR_RULES = ["color-contrast", "link-in-text-block"];

/**
 * axe reports no violation on the current screen, dark and light; the page stays light. The themes differ in colours
 * alone (`tokens.css`), so every other rule is checked in one of them.
 */
export async function expectAccessibleInBothThemes(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: "dark" });
  await expectAccessible(page, COLOR_RULES);
  await page.emulateMedia({ colorScheme: "light" });
  await expectAccessible(page);
}

/**
 * axe reports no violation on the current screen, once nothing fades in or moves to its place.
 * @param rules default: all
 */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  await page.evaluate(async () => {
    const moving = document.getAnimations().filter(({ effect }) => {
      return Number.isFinite(effect?.getComputedTiming().endTime); // others never end
    });
    await Promise.allSettled(moving.map(({ finished }) => finished));
  });
  // The page has no frames; only those need the blank page that axe opens otherwise for every report.
  // Of what is in order, no selectors are written.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  if (rules) axe.withRules(rules);
  const { violations } = await axe.analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
  );
  expect(found).toEqual([]);
}

/** Pixels of the image's overlay with an opacity above `alpha` (0 to 255), as a share of all. */
export function paintedShare(page: Page, alpha: number): Promise<number> {
  return page
    .locator("figure canvas")
    .first()
    .evaluate((canvas: HTMLCanvasElement, least) => {
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
      let count = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at]! > least) count += 1;
      return count / (width * height);
    }, alpha);
}
