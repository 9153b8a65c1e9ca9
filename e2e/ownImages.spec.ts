import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import { test } from "./test";

/**
 * Images of a person's own with the real engine: an answer is right, or the page says beside it that it may be wrong.
 * The pictures in `ownImages` were drawn by somebody who did not know the training.
 */

interface Asked {
  readonly image: string;
  readonly turns: readonly {
    readonly question: string;
    readonly answer: string;
    /** Other right answers. */
    readonly accept?: readonly string[];
  }[];
}

const FOLDER = "e2e/ownImages";
const asked = fs
  .readFileSync(`${FOLDER}/questions.jsonl`, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Asked);

const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
/** Why the answer may be wrong, beside it. */
const mark = (page: Page) =>
  page
    .locator("[class*=attempt]", { has: answers(page) })
    .getByText(/This answer may be wrong|^The image is blank/);

async function ask(page: Page, question: string): Promise<string> {
  await expect(answers(page)).toHaveCount(0);
  await page.getByLabel("Question").fill(question);
  await page.keyboard.press("Enter");
  await expect(answers(page)).toHaveAttribute("data-phase", "done", { timeout: 150_000 });
  return plain(await answers(page).innerText());
}

/** Without case and punctuation. */
function plain(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.join(" ");
}

test("an answer about an image of one's own is right or marked", async ({ page }) => {
  test.setTimeout(600_000);
  await page.goto("./?reference=off");
  const purpose = page.getByText(/^This model reads printed pages in English/);
  await test.step("a sample page", async () => {
    expect(await ask(page, "What is the total?")).toBe("94 09");
    await expect(mark(page)).toHaveCount(0);
    await expect(purpose).toHaveCount(0);
  });
  for (const { image, turns } of asked) {
    const { question, answer, accept = [] } = turns[0]!;
    await test.step(`${image}: ${question}`, async () => {
      await page.getByLabel("Image file", { exact: true }).setInputFiles(`${FOLDER}/${image}`);
      await expect(page.locator("figure img")).toHaveAttribute("alt", image);
      await expect(purpose).toBeVisible();
      const given = await ask(page, question);
      const isRight = [answer, ...accept].map(plain).includes(given);
      if (!isRight) await expect.soft(mark(page), `${image}: “${given}” is wrong`).toBeVisible();
    });
  }
});
