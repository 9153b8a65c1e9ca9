import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import { test } from "./test";

/** Several images with the real engine: before one question, and added to a conversation. */

const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
const strip = (page: Page) =>
  page.getByRole("radiogroup", { name: "Images of this conversation" }).getByRole("radio");
const file = (name: string) => ({
  name,
  mimeType: "image/png",
  buffer: fs.readFileSync(`public/samples/${name}`),
});

async function ask(page: Page, question: string): Promise<void> {
  const before = await answers(page).count();
  await page.getByLabel("Question").fill(question);
  await page.keyboard.press("Enter");
  await expect(answers(page)).toHaveCount(before + 1, { timeout: 60_000 });
  await expect(answers(page).last()).toHaveAttribute("data-phase", "done", { timeout: 150_000 });
}

/** Rows of the image in the viewer that its layer kept, and of how many. */
async function keptOfShown(page: Page): Promise<readonly number[]> {
  const heading = page.getByRole("heading", { name: /kept \d+ of \d+ patches/ });
  const [, kept, all] = /kept (\d+) of (\d+)/.exec((await heading.textContent()) ?? "") ?? [];
  return [Number(kept), Number(all)];
}

test("two pictures stand before one question, and a third is added to the conversation", async ({
  page,
}) => {
  test.setTimeout(400_000);
  await page.goto("./?policy=prefixkv&keep=10");
  await page
    .getByLabel("Image file", { exact: true })
    .setInputFiles([file("receipt.png"), file("chart.png")]);
  await expect(strip(page)).toHaveCount(2);
  await ask(page, "What is the total?");
  await expect(page.getByText(/11\d\d rows prefilled/)).toBeAttached();

  const first = await keptOfShown(page);
  await page.getByRole("radio", { name: "Image 2 of 2: chart.png" }).check();
  await expect(page.locator("figure img")).toHaveAttribute("alt", "chart.png");
  const second = await keptOfShown(page);
  // A layer keeps a tenth of both together on average, and so less than half of either alone.
  for (const [kept, all] of [first, second]) {
    expect(all).toBe(576);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(288);
  }
  await expect(page.getByRole("button", { name: "Show patches" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );

  await page.getByLabel("Images to add").setInputFiles([file("card.png")]);
  await expect(page.getByText("1 image before this question")).toBeVisible();
  await ask(page, "What is the organization?");
  await expect(strip(page)).toHaveCount(3);
  await expect(page.locator("figure img")).toHaveAttribute("alt", "card.png");
  expect((await keptOfShown(page))[1]).toBe(576);
  await expect(page.getByText(/\b[56]\d\d rows appended/)).toBeAttached();
});
