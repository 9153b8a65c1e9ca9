import fs from "node:fs";
import { type Browser, expect, type Page } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll } from "./pageChecks";
import { ask, openScripted, untilStored } from "./scripted";
import { test } from "./test";

const EVIL = `<script>document.title = "run"</script><img src=x onerror="document.title='run'">`;
const composer = (page: Page) => page.getByRole("textbox", { name: "Question", exact: true });
const editor = (page: Page) => page.getByRole("textbox", { name: "Edited question" });
const edit = (page: Page) => page.getByRole("button", { name: "Edit question" });
const group = (page: Page, name: string) => page.getByRole("group", { name, exact: true });
const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
const panel = (page: Page) => page.locator("#library-panel");

async function library(page: Page): Promise<void> {
  await page.getByRole("button", { name: "History", exact: true }).click();
}

/** The download of a button of the library. */
async function exported(page: Page, button: string): Promise<{ name: string; path: string }> {
  const download = page.waitForEvent("download");
  await panel(page).getByRole("button", { name: button }).click();
  const file = await download;
  return { name: file.suggestedFilename(), path: await file.path() };
}

test("an edited question replaces what followed it, which is kept", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await ask(page, "What is the date?");
  await ask(page, "List the items.");

  await edit(page).nth(1).click();
  await expect(editor(page)).toBeFocused();
  await expect(editor(page)).toHaveValue("What is the date?");
  await page.keyboard.type(" Or not");
  await page.keyboard.press("Escape");
  await expect(edit(page).nth(1)).toBeFocused();
  await expect(group(page, "What is the date?")).toBeVisible();

  await page.keyboard.press("Enter");
  await editor(page).fill("What is the name of the store?");
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(answers(page)).toHaveCount(2);
  await expect(answers(page).last()).toHaveAttribute("data-phase", "done");
  await expect(group(page, "What is the total?")).toBeVisible();
  await expect(group(page, "What is the date?")).toHaveCount(0);
  await expect(
    page.getByText("stay under History as “What is the total? (before edit)”"),
  ).toBeVisible();

  await library(page);
  await panel(page)
    .getByRole("button", { name: "What is the total? (before edit)", exact: true })
    .click();
  await expect(answers(page)).toHaveCount(3);
  await expect(group(page, "List the items.")).toBeVisible();
  // The two conversations continue independently, and a reload restores the later one.
  await ask(page, "And now?");
  await untilStored(page);
  await page.reload();
  await expect(answers(page)).toHaveCount(4);
});

test("a question and an answer are copied without moving anything", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.clock.install();
  await openScripted(page, { query: "policy=full" });
  await ask(page, "What is the total?");
  // “Copied” stands until time goes on.
  await page.clock.pauseAt(Date.now() + 60_000);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  for (const [what, text] of [
    ["question", "What is the total?"],
    ["answer", (await answers(page).textContent())!],
  ] as const) {
    const button = page.getByRole("button", { name: `Copy ${what}` });
    const before = await button.boundingBox();
    await button.click();
    await expect(page.getByRole("button", { name: `Copied ${what}` })).toBeVisible();
    expect(await page.getByRole("button", { name: `Copied ${what}` }).boundingBox()).toEqual(
      before,
    );
    expect(await copied()).toBe(text);
    await page.clock.runFor(1500);
    await expect(button).toBeVisible();
  }
});

test("the exported page runs nothing, fetches nothing and shows everything", async ({
  page,
  browser,
}) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, `What is the total? ${EVIL}`);
  await page.getByRole("button", { name: "Compare", exact: true }).first().click();
  await expect(page.getByRole("article", { name: /^Answer of/ }).last()).toHaveAttribute(
    "data-phase",
    "done",
  );
  await library(page);
  await panel(page)
    .getByRole("button", { name: /^Rename/ })
    .click();
  await panel(page).getByRole("textbox").fill("Receipt </title><b>");
  await page.keyboard.press("Enter");
  const file = await exported(page, "Export Receipt </title><b> as HTML");
  expect(file.name).toBe("receipt-title-b.html");
  const html = fs.readFileSync(file.path, "utf8");
  expect(html).not.toMatch(/<script|https?:\/\//i);
  for (const colorScheme of ["light", "dark"] as const) {
    await look(browser, html, colorScheme);
  }
});

async function look(browser: Browser, html: string, colorScheme: "light" | "dark"): Promise<void> {
  const context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.route("https://somewhere.example/", (route) =>
    route.fulfill({ contentType: "text/html", body: html }),
  );
  await page.goto("https://somewhere.example/");
  expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([
    "https://somewhere.example/",
  ]);
  await expect(page).toHaveTitle("Receipt </title><b>");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Receipt </title><b>");
  await expect(page.getByRole("heading", { level: 2 })).toHaveText(`What is the total? ${EVIL}`);
  await expect(page.getByText("keepsight-mini (f16, KV cache f16)")).toBeVisible();
  await expect(page.getByRole("article")).toHaveCount(4);
  await expect(page.getByRole("img", { name: /^Rows of the prompt that are left/ })).toHaveCount(4);
  await expect(page.getByRole("img", { name: /^KV cache while/ })).toHaveCount(1);
  await expect(page.getByRole("img", { name: /^Milliseconds of tokens/ })).toHaveCount(4);
  const drawing = page.getByRole("img", { name: /of 576 patches kept/ }).first();
  expect(await drawing.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(
    100,
  );
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
  await context.close();
}

test("an exported conversation is imported, and goes on", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  const facts = await page.getByText(/rows cached/).textContent();
  await library(page);
  const { path } = await exported(page, "Export What is the total? as JSON");
  await panel(page).getByRole("button", { name: "Delete What is the total?" }).click();
  await expect(answers(page)).toHaveCount(0);
  const input = page.getByLabel("Conversation to import");
  await input.setInputFiles({
    name: "c.json",
    mimeType: "application/json",
    buffer: fs.readFileSync(path),
  });
  await expect(panel(page)).toBeHidden();
  await expect(group(page, "What is the total?")).toBeVisible();
  await expect(page.getByText(/rows cached/)).toHaveText(facts!);
  await expect(page.getByRole("heading", { name: /layers kept/ })).toBeVisible();
  await ask(page, "What is the date?");
  await untilStored(page);
  await page.reload();
  await expect(answers(page)).toHaveCount(2);
});

test("a file that is no conversation gets one sentence", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await library(page);
  const { path } = await exported(page, "Export What is the total? as JSON");
  const document = JSON.parse(fs.readFileSync(path, "utf8"));
  const input = page.getByLabel("Conversation to import");
  const bad = [
    ["{", /“x\.json” is not a conversation of Keepsight: it is not JSON\./],
    [{ ...document, version: 7 }, /version is not 1/],
    [
      { ...document, exchanges: [{ ...document.exchanges[0], attempts: 3 }] },
      /attempts is not a list/,
    ],
    [
      { ...document, pictures: [{ ...document.pictures[0], data: "data:image/png;base64,AAAA" }] },
      /not an image|no image/,
    ],
  ] as const;
  for (const [content, sentence] of bad) {
    const buffer = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
    await input.setInputFiles({ name: "x.json", mimeType: "application/json", buffer });
    await expect(panel(page).getByRole("alert")).toHaveText(sentence);
  }
  await expect(composer(page)).toBeEnabled();
  await expect(answers(page)).toHaveCount(1);
});

test("a conversation dropped on the page opens, and another file is refused there", async ({
  page,
}) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await library(page);
  const { path } = await exported(page, "Export What is the total? as JSON");
  await panel(page).getByRole("button", { name: "Delete What is the total?" }).click();
  await page.keyboard.press("Escape");
  await drop(page, "{}");
  await expect(page.getByText("“dropped.json” is not a conversation of Keepsight")).toBeVisible();
  await drop(page, fs.readFileSync(path, "utf8"));
  await expect(group(page, "What is the total?")).toBeVisible();
});

async function drop(page: Page, content: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], "dropped.json", { type: "application/json" }));
    return transfer;
  }, content);
  for (const event of ["dragenter", "dragover", "drop"]) {
    await page.dispatchEvent("body", event, { dataTransfer });
  }
}
