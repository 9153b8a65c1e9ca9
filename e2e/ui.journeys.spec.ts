import { expect, type Page } from "@playwright/test";
import { expectAccessibleInBothThemes, expectNoOverflow } from "./pageChecks";
import { openScripted, showTime } from "./scripted";
import { test } from "./test";

const answers = (page: Page) => page.getByRole("article", { name: /^Answer/ });
const isNarrow = (page: Page) => page.viewportSize()!.width <= 720;

async function settled(page: Page, count: number): Promise<void> {
  await expect(page.locator("article[data-phase=done]")).toHaveCount(count);
}

async function expectClean(page: Page): Promise<void> {
  await expectNoOverflow(page);
  await expectAccessibleInBothThemes(page);
}

/** The contents of the Cache zone, which is a sheet in narrow windows. */
async function inCache(page: Page, act: () => Promise<void>): Promise<void> {
  if (!isNarrow(page)) return act();
  await page.getByRole("button", { name: /^Cache settings/ }).click();
  await act();
  await page.keyboard.press("Escape");
}

/** Drops a sample's file as if it were one's own. */
function drop(page: Page, name: string): Promise<boolean> {
  return page.evaluate(async (file) => {
    const blob = await (await fetch("samples/card.png")).blob();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([blob], file, { type: "image/png" }));
    const init = { bubbles: true, cancelable: true, dataTransfer };
    return document.body.dispatchEvent(new DragEvent("drop", init));
  }, name);
}

for (const viewport of [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
]) {
  test(`a person's way through the page at ${viewport.width} px, light and dark`, async ({
    page,
  }) => {
    await page.setViewportSize(viewport);
    await openScripted(page);

    // First minute: a sample is shown, and one click gets an answer.
    await page.getByRole("button", { name: "What is the date?" }).click();
    await settled(page, 1);

    // Toggle: another policy keeps less of the same image, and memory falls.
    await inCache(page, async () => {
      await page.getByLabel("Policy", { exact: true }).selectOption("AirCache");
      await page.getByLabel("Keep percent").fill("10");
      await page.getByLabel("Keep percent").press("Enter");
    });
    await page.getByRole("button", { name: "Ask again", exact: true }).click();
    await settled(page, 2);
    const meter = page.getByRole("meter", { name: "KV cache size", includeHidden: true });
    const [kept, full] = await meter.evaluate((each: HTMLMeterElement) => [each.value, each.max]);
    expect(kept).toBeLessThan(full! / 4);

    // See: a layer's rows, the policy's scores, a word's attention.
    await page.getByRole("radio", { name: /^Layer 5/ }).check();
    await page.getByRole("radio", { name: "Heat" }).check();
    await expectClean(page);
    await answers(page).last().locator("[data-word]").last().click();
    await expect(page.getByText(/attention, not proof/i).first()).toBeVisible();
    await expectNoOverflow(page);

    // Compare: lanes under one question.
    await page.locator("form").getByRole("button", { name: "Compare" }).click();
    await expect(page.getByLabel("Policy of lane 3")).toBeVisible();
    await expectClean(page);
    await page.getByLabel("Question").fill("What is the total?");
    await page.keyboard.press("Enter");
    await settled(page, 5);
    await expect(
      page.getByText(/^(same answer|differs|\d+ of \d+ words agree)$/).first(),
    ).toBeVisible();
    await expectClean(page);

    // Watch: every chart has its table.
    await inCache(page, async () => {
      await showTime(page);
      await page.getByRole("button", { name: /^Show data: Time per token/ }).click();
      await expectClean(page);
      await page.keyboard.press("Escape");
    });

    // The user's own image starts a new conversation, and the previous one is kept.
    await page
      .getByRole("button", { name: /^Chart/ })
      .first()
      .click();
    await expect(page.getByText(/^New conversation\./)).toBeVisible();
    await drop(page, "mine.png");
    await expect(page.getByAltText(/mine\.png/).first()).toBeVisible();
    await page.getByRole("button", { name: "History" }).click();
    await expect(page.getByText("What is the date?").first()).toBeVisible();
    await expectClean(page);
    await page.keyboard.press("Escape");

    // Explain.
    await page.getByRole("link", { name: "About" }).click();
    await expect(page.getByRole("heading", { name: "How a prompt becomes rows" })).toBeVisible();
    await expectClean(page);
  });
}
