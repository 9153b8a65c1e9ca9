import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** The page does not scroll sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const extra = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(extra).toBe(0);
}

/** No text sticks out of the window, and the page does not scroll sideways. */
export async function expectNoOverflow(page: Page): Promise<void> {
  await expectNoSidewaysScroll(page);
  const out = await page.evaluate(() =>
    [...document.querySelectorAll("p, span, b, h1, h2, button, label, select, input")]
      .filter((element) => element.checkVisibility() && !element.closest(".unseen"))
      .filter((element) => !element.closest("ul, [class*=suggestions]"))
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 0 && (left < -1 || right > innerWidth + 1);
      })
      .map((element) => element.outerHTML.slice(0, 80)),
  );
  expect(out).toEqual([]);
}

/** axe finds nothing on the screen as it stands. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
  );
  expect(found).toEqual([]);
}
