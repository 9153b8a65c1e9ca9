import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import { expectAccessible } from "./pageChecks";
import { ask, openScripted, untilStored } from "./scripted";
import { test } from "./test";

const question = (page: Page, text: string) => page.getByRole("group", { name: text });

async function savedReport(page: Page): Promise<string> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save a report" }).click();
  return fs.readFileSync(await (await download).path(), "utf8");
}

test("a report holds the device and no text or image, unless they are ticked", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await page.getByRole("button", { name: /keepsight-mini/ }).click();
  await expectAccessible(page);
  const plain = await savedReport(page);
  expect(plain).not.toContain("What is the total?");
  expect(plain).not.toContain("Receipt");
  const report = JSON.parse(plain);
  expect(report).toMatchObject({ format: "keepsight-report", attempts: [{ phase: "done" }] });
  expect(report.browser.limits.maxBufferSize).toBeGreaterThan(0);
  await page.getByLabel("with what I asked and what was answered").check();
  expect(await savedReport(page)).toContain("What is the total?");
});

test("everything that the page has stored is deleted at once, after one question", async ({
  page,
}) => {
  await page.addInitScript(() => {
    StorageManager.prototype.persist = async () => {
      const asked = Number(sessionStorage.getItem("asked") ?? 0);
      sessionStorage.setItem("asked", String(asked + 1));
      return true;
    };
  });
  const timesAsked = () => page.evaluate(() => sessionStorage.getItem("asked"));
  await openScripted(page);
  await ask(page, "What is the total?");
  await expect.poll(timesAsked).toBe("1");
  await untilStored(page);
  await page.reload();
  await expect(question(page, "What is the total?")).toBeVisible();
  await ask(page, "What is the date?");
  expect(await timesAsked()).toBe("1");

  await page.getByRole("button", { name: "History", exact: true }).click();
  const panel = page.locator("#library-panel");
  await panel.getByRole("button", { name: "Delete everything…" }).click();
  await expect(panel).toContainText("It cannot be undone.");
  await panel.getByRole("button", { name: "Keep", exact: true }).click();
  await panel.getByRole("button", { name: "Delete everything…" }).click();
  await panel.getByRole("button", { name: "Delete everything", exact: true }).click();
  await expect(question(page, "What is the total?")).toHaveCount(0);
  await openScripted(page);
  await expect(question(page, "What is the total?")).toHaveCount(0);
  const kept = await page.evaluate(() =>
    Object.keys(localStorage).filter((key) => key.startsWith("keepsight.asked")),
  );
  expect(kept).toEqual([]);
});
