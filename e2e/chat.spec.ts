import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import { test } from "./test";

/** The built page with the real engine: a user's first minutes. */

const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
const meter = (page: Page) => page.getByRole("meter", { name: "KV cache size" });
const meterBytes = (page: Page) =>
  meter(page).evaluate((each: HTMLMeterElement) => ({ value: each.value, max: each.max }));

async function drop(page: Page, file: string, type: string): Promise<void> {
  const bytes = fs.readFileSync(file).toString("base64");
  const transfer = await page.evaluateHandle(
    ({ bytes, type, name }) => {
      const transfer = new DataTransfer();
      const data = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([data], name, { type }));
      return transfer;
    },
    { bytes, type, name: file.split("/").at(-1)! },
  );
  for (const event of ["dragenter", "dragover", "drop"]) {
    await page.dispatchEvent("body", event, { dataTransfer: transfer });
  }
}

async function ask(page: Page, question: string): Promise<void> {
  const before = await answers(page).count();
  await page.getByLabel("Question").fill(question);
  await page.keyboard.press("Enter");
  await expect(answers(page)).toHaveCount(before + 1, { timeout: 60_000 });
}

async function done(page: Page): Promise<void> {
  await expect(answers(page).last()).toHaveAttribute("data-phase", "done", { timeout: 120_000 });
}

/** Presses Stop from inside the page, at the first word that it shows. */
async function stopAtFirstText(page: Page): Promise<void> {
  await page.evaluate(() => {
    new MutationObserver((_, observer) => {
      const text = document.querySelector("article[aria-label=Answer]")?.textContent ?? "";
      const stop = [...document.querySelectorAll("button")].find((b) => b.innerText === "Stop");
      if (!stop || !/\w/.test(text)) return;
      observer.disconnect();
      stop.click();
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

test("drop an image, ask, switch the policy, and see memory fall", async ({ page }) => {
  await page.goto("./?policy=full");
  await drop(page, "fixtures/images/receipt.png", "image/png");
  await ask(page, "What is the total?");
  await done(page);
  await expect(answers(page).last()).toContainText(/\$\d+\.\d\d/);
  const full = await meterBytes(page);
  expect(full.value).toBe(full.max);

  await page.getByLabel("Policy").selectOption("aircache");
  await page.getByLabel("Keep", { exact: true }).focus();
  await page.keyboard.press("End");
  await ask(page, "What is the date?");
  await done(page);
  const kept = await meterBytes(page);
  expect(kept.value).toBeLessThan(kept.max / 3);

  await page.getByRole("button", { name: "Show data: KV cache over time" }).click();
  const table = page.getByRole("table", { name: "KV cache over time" });
  await expect(table.locator("tbody tr")).not.toHaveCount(0); // a popup is filled after it has opened
  const column = await table.locator("tbody tr td:nth-child(2)").allTextContents();
  const bytes = column.map(Number);
  expect(Math.max(...bytes)).toBeGreaterThanOrEqual(full.value);
  expect(bytes.at(-1)).toBe(kept.value);
});

test("stop ends a streaming answer and keeps what was said", async ({ page }) => {
  // At this temperature the answer has over a hundred tokens, enough for the message to arrive during it.
  await page.goto("./?policy=full&temperature=5&seed=2&max-new-tokens=400");
  await stopAtFirstText(page);
  await ask(page, "List the items.");
  await done(page);
  await expect(answers(page).last()).toContainText(/\w/);
  await expect(page.getByText("stopped", { exact: true })).toBeVisible();
  await expect(page.getByLabel("Question")).toBeEnabled();
});

test("bad pictures get a sentence and leave what was typed alone", async ({ page }) => {
  await page.goto("./");
  const typed = "What is the total?";
  await page.getByLabel("Question").fill(typed);
  for (const [file, sentence] of [
    ["fixtures/images/not-an-image.png", /not an image|is no image|cannot be read/i],
    ["fixtures/images/empty.png", /empty/i],
    ["fixtures/images/huge-20000x20000.png", /megapixel/i],
  ] as const) {
    await drop(page, file, "image/png");
    await expect(page.getByText(sentence).first(), file).toBeVisible();
    await expect(page.getByLabel("Question")).toHaveValue(typed);
  }
});

test("a model file that is missing is named, and nothing typed is lost", async ({ page }) => {
  await page.route("**/model.safetensors", (route) => route.fulfill({ status: 404 }));
  await page.goto("./");
  await page.getByLabel("Question").fill("What is the total?");
  await expect(page.getByText(/model\.safetensors/).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByLabel("Question")).toHaveValue("What is the total?");
});

test("a browser without WebGPU is told so in one sentence", async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined });
  });
  await page.goto("./");
  await expect(page.getByText(/WebGPU/).first()).toBeVisible();
  await expect(page.getByLabel("Question")).toBeEditable();
});
