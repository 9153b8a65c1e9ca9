import fs from "node:fs";
import { expect } from "@playwright/test";
import { ask, closeSettings, openScripted, openSettings, untilStored } from "./scripted";
import { test } from "./test";

test("a link asks its question with its settings, once; lanes too", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.clock.install();
  await openScripted(page, { query: "policy=aircache&keep=10&seed=7" });
  await ask(page, "What is the date?");
  // What is chosen afterwards is for the next question.
  await openSettings(page);
  await page.getByLabel("Seed").fill("8");
  await closeSettings(page);
  await page.clock.pauseAt(Date.now() + 60_000); // “Copied” stands until time goes on
  await page.getByRole("button", { name: "Share…" }).click();
  await page.getByRole("menuitem", { name: "Copy link" }).click();
  await expect(page.getByRole("button", { name: "Copied", exact: true })).toBeVisible();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  await page.clock.resume();
  expect(Object.fromEntries(link.searchParams)).toMatchObject({
    ask: "What is the date?",
    policy: "aircache",
    keep: "10",
    seed: "7",
    sample: "receipt",
  });

  const guest = await context.newPage();
  await openScripted(guest, { query: link.search.slice(1) });
  const answers = guest.getByRole("article", { name: "Answer" });
  await expect(answers).toHaveAttribute("data-phase", "done");
  await expect(guest.getByRole("group", { name: "What is the date?" })).toContainText(
    "AirCache 10 %",
  );
  await expect(guest).not.toHaveURL(/ask=/);
  await untilStored(guest);
  await guest.reload();
  await expect(answers).toHaveCount(1);

  const lanes = `${link.search.slice(1)}&lanes=full:100,aircache:10`;
  await openScripted(guest, { query: lanes });
  const compared = guest.getByRole("article", { name: /^Answer of/ });
  await expect(compared).toHaveCount(2);
  await expect(compared.last()).toHaveAttribute("data-phase", "done");
  await guest.close();
});

test("an answer is saved beside the full cache's as one PNG", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, "What is the date?");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Share…" }).click();
  await page.getByRole("menuitem", { name: "Save as image" }).click();
  const file = await (await download).path();
  const bytes = fs.readFileSync(file);
  expect(bytes.subarray(1, 4).toString()).toBe("PNG");
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1200, 630]);
  // Two answers, two bars and the image: a blank picture would be a few kilobytes.
  expect(bytes.length).toBeGreaterThan(40_000);
});

test("the actions of a compared answer take one row at 1280 px and wider", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, "What is the date?");
  const share = page.getByRole("button", { name: "Share…" });
  for (const width of [1280, 1366, 1440]) {
    await page.setViewportSize({ width, height: 720 });
    const heights = async () => {
      const [button, actions] = [
        await share.boundingBox(),
        await share.locator("..").boundingBox(),
      ];
      return actions!.height - button!.height;
    };
    await expect.poll(heights, `${width} px`).toBe(0);
  }
});

test("how low it can go: the shares stand on the slider, and the smallest that changes nothing is named", async ({
  page,
}) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  const button = page.getByRole("button", { name: "How low can it go?" });
  await expect(button).toBeDisabled();
  await ask(page, "What is the total?");
  await button.click();
  const outcome = page.getByRole("status").filter({ hasText: "AirCache: " });
  await expect(outcome).toContainText(/down to \d+ %|at 50 %/);
  await page.getByRole("button", { name: "Answers", exact: true }).click();
  await expect(page.locator("li[data-same]")).toHaveCount(8);
  const same = await page
    .locator("li[data-same]")
    .evaluateAll((steps) => steps.map((step) => (step as HTMLElement).dataset.same === "true"));
  const last = same.indexOf(false) < 0 ? same.length : same.indexOf(false);
  const percent = [50, 30, 20, 10, 5, 3, 2, 1][last - 1];
  await expect(outcome).toContainText(percent === undefined ? "at 50 %" : `down to ${percent} %`);
  // Another question ends it.
  await ask(page, "What is the date?");
  await expect(outcome).toHaveCount(0);
});
