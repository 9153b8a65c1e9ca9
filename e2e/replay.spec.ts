import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import type { ReplayDocument } from "../cli/ask/replay";
import { untilStored } from "./scripted";
import { test } from "./test";

/** Replays a page's export on the command line, with a tiny model so that it takes seconds. */

const ended = (page: Page) => page.locator("article[data-phase=done]");

async function ask(page: Page, question: string, answers: number): Promise<void> {
  await page.getByLabel("Question", { exact: true }).fill(question);
  await page.keyboard.press("Enter");
  await expect(ended(page)).toHaveCount(answers, { timeout: 60_000 });
}

function replay(file: string): {
  readonly status: number | null;
  readonly document: ReplayDocument;
} {
  const args = ["cli/run.mjs", "ask", "--replay", file, "--json", "-"];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, document: JSON.parse(stdout) };
}

test("an exported conversation runs again, answer for answer", async ({ page }, info) => {
  await page.goto("./?model=tiny-smolvlm&policy=prefixkv&keep=20&max-new-tokens=6");
  await ask(page, "One?", 1);
  await ask(page, "Two?", 2);
  // Not in document order: the second question continued from the first one's first answer.
  await page.getByRole("button", { name: "Ask again", exact: true }).first().click();
  await expect(ended(page)).toHaveCount(3, { timeout: 60_000 });
  await page.getByRole("button", { name: "Compare", exact: true }).nth(2).click();
  await expect(ended(page)).toHaveCount(6, { timeout: 60_000 });
  await untilStored(page);

  await page.getByRole("button", { name: "History", exact: true }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export One? as JSON" }).click();
  const file = info.outputPath("conversation.json");
  await (await download).saveAs(file);

  const { status, document } = replay(file);
  expect(document).toMatchObject({ same: true, model: "tiny-smolvlm", skipped: [] });
  expect(document.answers.map(({ question, isLane }) => [question, isLane])).toEqual([
    ["One?", false],
    ["Two?", false],
    ["One?", false],
    ...Array.from({ length: 3 }, () => ["Two?", true]),
  ]);
  expect(document.answers[1]!.appended).toEqual({ recorded: true, replayed: true });
  expect(status).toBe(0);

  const other = JSON.parse(fs.readFileSync(file, "utf8"));
  other.exchanges[0].attempts[0].result.answer += " more";
  fs.writeFileSync(file, JSON.stringify(other));
  const changed = replay(file);
  expect(changed.document.answers.map(({ sameText }) => sameText)).toEqual([
    false,
    ...Array.from({ length: 5 }, () => true),
  ]);
  expect(changed.status).toBe(1);
});
