import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import type { Recording } from "../src/client/recording";
import { expectAccessible } from "./pageChecks";
import { ask, openScripted, recording, untilStored } from "./scripted";
import { test } from "./test";

/** The page waits as long for a storage that does not answer. */
const STORAGE_MS = 8_000;

const question = (page: Page, text: string) => page.getByRole("group", { name: text });
const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
const panel = (page: Page) => page.locator("#library-panel");
const notice = (page: Page) =>
  page.getByRole("region", { name: "Conversation" }).getByRole("status");

async function openLibrary(page: Page): Promise<void> {
  await page.getByRole("button", { name: "History", exact: true }).click();
}

test("a conversation that is open in two tabs loses no question", async ({ page, context }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await untilStored(page);
  const second = await context.newPage();
  await openScripted(second);
  await expect(question(second, "What is the total?")).toBeVisible();
  await expect(second.getByText("is open in another tab. This is a copy")).toBeVisible();
  await ask(second, "What is the date?");
  await untilStored(second);
  await expect(second.getByText("is open in another tab")).toHaveCount(0);
  await ask(page, "Read all the text.");
  await untilStored(page);
  await page.close();
  await second.reload();
  // The newest is the first tab's, whose page is gone: it is opened as it is.
  await expect(question(second, "Read all the text.")).toBeVisible();
  await expect(question(second, "What is the date?")).toHaveCount(0);
  await openLibrary(second);
  const items = panel(second).locator("li");
  await expect(items).toHaveCount(2);
  await panel(second)
    .getByRole("button", { name: "What is the total? (copy)", exact: true })
    .click();
  await expect(question(second, "What is the date?")).toBeVisible();
  await expect(question(second, "Read all the text.")).toHaveCount(0);
});

test("a reload opens the conversation itself, not a copy", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await untilStored(page);
  for (let visit = 0; visit < 3; visit++) await page.reload();
  await expect(question(page, "What is the total?")).toBeVisible();
  await expect(page.getByText("is open in another tab")).toHaveCount(0);
});

test("storage that never answers is waited for a while, and the page says what it means", async ({
  page,
}) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest;
  });
  await page.clock.install();
  await openScripted(page);
  await page.clock.fastForward(STORAGE_MS);
  await ask(page, "What is the total?");
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  const conversation = page.getByRole("region", { name: "Conversation" });
  await expect(conversation.getByRole("alert")).toHaveText(/storage does not answer/);
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
});

/** Replaces the patches of the stored conversation's first answer, once that has been stored. */
async function breakStored(page: Page): Promise<void> {
  const tryOnce = () =>
    page.evaluate(
      () =>
        new Promise<boolean>((resolve, reject) => {
          const opening = indexedDB.open("keepsight");
          opening.onerror = reject;
          opening.onsuccess = () => {
            const change = opening.result.transaction("conversations", "readwrite");
            const store = change.objectStore("conversations");
            const all = store.getAll();
            let isBroken = false;
            all.onsuccess = () => {
              const [record] = all.result;
              const { result } = record?.exchanges[0].attempts[0].run ?? {};
              if (!result) return;
              Object.assign(result.images[0].tiles[0], { gridRows: 4096, gridColumns: 4096 });
              store.put(record);
              isBroken = true;
            };
            change.oncomplete = () => {
              opening.result.close();
              resolve(isBroken);
            };
          };
        }),
    );
  await expect.poll(tryOnce).toBe(true);
}

test("a stored conversation whose numbers do not fit is left closed, and the page works", async ({
  page,
}) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await breakStored(page);
  await page.reload();
  await expect(notice(page)).toContainText(
    "“What is the total?” cannot be shown: the patches of exchanges[0].attempts[0].result.images are 16777216",
  );
  await expectAccessible(page);
  await ask(page, "What is the date?");
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  await expect(page.getByText("cannot be shown")).toHaveCount(0);
});

test("an imported conversation whose numbers do not fit is refused at once", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await openLibrary(page);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export What is the total? as JSON" }).click();
  const document = JSON.parse(fs.readFileSync(await (await download).path(), "utf8"));
  const [exchange] = document.exchanges;
  const [tile] = exchange.attempts[0].result.images[0].tiles;
  const { gridRows, gridColumns } = tile;
  const refused = async (sentence: RegExp) => {
    const buffer = Buffer.from(JSON.stringify(document));
    const file = { name: "x.json", mimeType: "application/json", buffer };
    await page.getByLabel("Conversation to import").setInputFiles(file);
    await expect(panel(page).getByRole("alert")).toHaveText(sentence);
  };
  Object.assign(tile, { gridRows: 4000, gridColumns: 4000 });
  await refused(/the patches of .*images are 16000000, and its visualTokens 576/);
  Object.assign(tile, { gridRows, gridColumns });
  document.exchanges = Array(600).fill(exchange);
  await refused(/exchanges is not a list of at most 512: it has 600/);
  await expect(answers(page)).toHaveCount(1);
});

test("a conversation that did not finish drawing is not opened by itself again", async ({
  page,
}) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await untilStored(page);
  // As a page leaves it that hangs while it draws.
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open("keepsight");
        opening.onerror = reject;
        opening.onsuccess = () => {
          const keys = opening.result.transaction("entries").objectStore("entries").getAllKeys();
          keys.onsuccess = () => {
            localStorage.setItem("keepsight.undrawn", JSON.stringify(keys.result));
            opening.result.close();
            resolve();
          };
        };
      }),
  );
  await page.reload();
  await expect(notice(page)).toContainText("“What is the total?” did not finish drawing");
  await expect(answers(page)).toHaveCount(0);
  await openLibrary(page);
  await panel(page).getByRole("button", { name: "What is the total?", exact: true }).click();
  await expect(question(page, "What is the total?")).toBeVisible();
  await page.reload();
  await expect(question(page, "What is the total?")).toBeVisible();
});

test("a page that cannot be drawn says so, and the next visit leaves the cause closed", async ({
  page,
}) => {
  const { load, answers: recorded } = recording();
  const { result, ...asked } = recorded[0]!;
  const broken = { ...result!, kvBytes: undefined as never };
  const script: Recording = { load, answers: [{ ...asked, result: broken }] };
  await openScripted(page, { script, query: "reference=off" });
  await page.getByLabel("Question").fill("What is the total?");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "This page could not be drawn." })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Load the page again" }).click();
  await expect(page.getByLabel("Question")).toBeEnabled();
  await expect(notice(page)).toContainText("“What is the total?” did not finish drawing");
});

test("after a lost device the page says what it does, and the question is asked again", async ({
  page,
}) => {
  const { load, answers: recorded } = recording();
  const { result: _, ...asked } = recorded[0]!;
  const message = "The graphics device was lost.";
  const failure = { code: "deviceLost", message, action: "reload" } as const;
  const script: Recording = { load, answers: [{ ...asked, events: [], failure }] };
  await openScripted(page, { script });
  // The notice goes when the model is there, so what the page says is noted.
  await page.getByRole("region", { name: "Conversation" }).evaluate((log) => {
    const said: string[] = [];
    Object.assign(window, { said });
    const note = () => said.push(log.querySelector("[role=status]")?.textContent ?? "");
    new MutationObserver(note).observe(log, { subtree: true, childList: true });
  });
  await ask(page, "What is the total?");
  const said = () => page.evaluate(() => (window as unknown as { said: string[] }).said.join());
  await expect.poll(said).toContain("The page loads the model again");
  await expect(question(page, "What is the total?").getByRole("alert")).toContainText(message);
  await expect(page.getByText("The page loads the model again")).toHaveCount(0);
});

test("a language that is no tag does not keep the page from starting", async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "language", { get: () => "en-US@posix" });
  });
  await openScripted(page);
  await ask(page, "What is the total?");
});
