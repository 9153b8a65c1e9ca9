import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import {
  expectAccessible,
  expectAccessibleInBothThemes,
  expectNoSidewaysScroll,
} from "./pageChecks";
import { ask, openScripted, saying, untilStored } from "./scripted";
import { test } from "./test";

const library = (page: Page) => page.getByRole("button", { name: "History" });
const question = (page: Page, text: string) => page.getByRole("group", { name: text });

test("a reload brings the conversation back, and it goes on", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  const facts = await page.getByText(/rows cached/).textContent();
  await untilStored(page);
  await page.reload();
  await expect(question(page, "What is the total?")).toBeVisible();
  await expect(page.getByText(/rows cached/)).toHaveText(facts!);
  await expect(page.getByRole("heading", { name: /layers kept/ })).toBeVisible();
  await ask(page, "What is the date?");
  await expect(page.getByRole("article", { name: "Answer" })).toHaveCount(2);
});

test("an answer that a reload cut off is tried again on request", async ({ page }) => {
  await openScripted(page, { start: new Promise(() => undefined) });
  await page.getByLabel("Question").fill("What is the total?");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/waits for the model/)).toBeVisible();
  // The write to the archive is asynchronous; an entry in the list shows that it is complete.
  await library(page).click();
  await expect(
    page.locator("#library-panel").getByRole("button", { name: "What is the total?", exact: true }),
  ).toBeVisible();
  await openScripted(page);
  await expect(page.getByText("The page was left before this answer ended.")).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("article", { name: "Answer" })).toHaveAttribute("data-phase", "done");
});

test("conversations are named, opened, exported and deleted", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await page
    .getByRole("button", { name: /^Chart/ })
    .first()
    .click();
  await expect(page.getByText(/stays under History/)).toBeVisible();
  await ask(page, "What is the date?");

  await library(page).click();
  await page.getByRole("button", { name: "Rename What is the total?" }).click();
  await page.getByLabel("Name of What is the total?").fill("My receipt");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "My receipt", exact: true })).toBeVisible();
  await expectAccessible(page);

  const item = page.locator("#library-panel li", { hasText: "My receipt" });
  await expect(item).toContainText("1 image");
  await expect(item).toContainText("1 question");

  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export My receipt as JSON" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("my-receipt.json");
  const document = JSON.parse(fs.readFileSync(await file.path(), "utf8"));
  expect(document).toMatchObject({ format: "keepsight-conversation", name: "My receipt" });
  expect(document.pictures[0].data).toMatch(/^data:image\/png;base64,iVBOR/);
  expect(document.exchanges[0].attempts[0].result.layers).toHaveLength(8);

  await page.getByRole("button", { name: "My receipt", exact: true }).click();
  await expect(question(page, "What is the total?")).toBeVisible();
  await expect(question(page, "What is the date?")).toHaveCount(0);

  await library(page).click();
  await page.getByRole("button", { name: "Rename My receipt" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "My receipt", exact: true })).toBeFocused();
  await page.getByRole("button", { name: "Delete My receipt" }).click();
  await expect(question(page, "What is the total?")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "My receipt", exact: true })).toHaveCount(0);
  await expect(page.getByText("Deleted “My receipt”.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo" })).toBeFocused();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: "My receipt", exact: true })).toBeVisible();
  await page
    .locator("#library-panel")
    .getByRole("button", { name: "What is the date?", exact: true })
    .click();
  await expect(question(page, "What is the date?")).toBeVisible();
});

test("a browser whose storage is full says so, and the conversation goes on", async ({ page }) => {
  await page.addInitScript(() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...args) {
      if (this.name === "conversations") throw new DOMException("", "QuotaExceededError");
      return put.apply(this, args);
    };
  });
  await openScripted(page);
  await ask(page, "What is the total?");
  const conversation = page.getByRole("region", { name: "Conversation" });
  await expect(conversation.getByRole("alert")).toHaveText(/storage is full/);
  await ask(page, "What is the date?");
  await expect(page.getByRole("article", { name: "Answer" })).toHaveCount(2);
});

test("Hebrew and Arabic read from right to left, wherever they stand", async ({ page }) => {
  const asked = "מה הסכום הכולל?";
  await openScripted(page, { script: saying("المجموع هو ٧٥ دولارا") });
  const composer = page.getByLabel("Question", { exact: true });
  await composer.fill(asked);
  await expect(composer).toHaveCSS("direction", "rtl");
  await ask(page, asked);
  await expect(question(page, asked).getByText(asked)).toHaveCSS("direction", "rtl");
  const answer = page.getByRole("article", { name: "Answer" });
  await expect(answer).toHaveCSS("direction", "rtl");
  await library(page).click();
  const title = page.locator("#library-panel").getByRole("button", { name: asked, exact: true });
  await expect(title).toHaveCSS("direction", "rtl");
  await composer.fill("What?");
  await expect(composer).toHaveCSS("direction", "ltr");
});

test("the About page tells of the page's own image, light and dark", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await page.getByRole("link", { name: "About" }).click();
  await expect(page.getByRole("heading", { name: "How a prompt becomes rows" })).toBeVisible();
  await expect(page.getByText(/the prompt has 597 tokens/)).toBeVisible();
  for (const policy of ["AirCache", "PrefixKV", "Elastic Cache"]) {
    await expect(page.getByRole("region", { name: policy, exact: true })).toBeVisible();
  }
  await expectAccessibleInBothThemes(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("navigation").getByRole("link", { name: "Chat" }).click();
  await expect(question(page, "What is the total?")).toBeVisible();
});
