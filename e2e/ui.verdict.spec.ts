import { expect, type Page } from "@playwright/test";
import type { Recording } from "../src/client/recording";
import {
  ask,
  closeSettings,
  openScripted,
  openSettings,
  recordedResult,
  recording,
} from "./scripted";
import { test } from "./test";

const answers = (page: Page) => page.getByRole("article", { name: "Answer" });

test("every compressed answer says whether it is the full cache's, and which words changed", async ({
  page,
}) => {
  const [full, changed] = ["full", "prefixkv"].map(
    (policy) => recordedResult("What is the total?", policy).answer,
  );
  await openScripted(page, { query: "policy=prefixkv&keep=20" });
  await ask(page, "What is the date?");
  await expect(page.getByText("Same answer as the full cache.")).toBeVisible();
  await expect(page.getByText(/\sMB of memory instead of \d/)).toBeVisible();
  await expect(
    page.getByText(/^20\s% of the image \+ \d+ text rows, in blocks of 64$/),
  ).toBeVisible();

  await ask(page, "What is the total?");
  await expect(
    page.getByText(`Differs from the full cache: “${changed}” instead of “${full}”.`),
  ).toBeVisible();
  await expect(answers(page).last().locator("mark")).toHaveText(`differs: ${changed}`);

  // Typed again, the question is answered again in its place.
  await openSettings(page);
  await page.getByLabel("Compare every answer with the full cache").uncheck();
  await closeSettings(page);
  await ask(page, "What is the date?");
  await expect(page.getByRole("group", { name: "What is the date?" })).toHaveCount(1);
  await expect(answers(page)).toHaveCount(3);
  await page.getByLabel("Policy").first().selectOption("full");
  await ask(page, "What is the date?");
  await expect(answers(page)).toHaveCount(4);
  await expect(page.getByText("Not compared with the full cache.")).toHaveCount(0);
  await expect(page).toHaveURL(/reference=off/);
});

test("a verdict and a doubt are read out, in a region that was there before them", async ({
  page,
}) => {
  const { load, answers: recorded } = recording();
  const answer = recorded.find(({ policy }) => policy === "prefixkv")!;
  const doubtful = { ...answer, result: { ...answer.result!, notices: [{ code: "blankImage" }] } };
  const full = recorded.find((each) => each.policy === "full" && each.question === answer.question);
  const script = { load, answers: [doubtful, full!] } as Recording;
  await openScripted(page, { pace: 0.5, query: "policy=prefixkv&keep=20", script });
  const answered = ask(page, answer.question);
  const region = page.locator("article[aria-label=Answer] + div > [aria-live=polite]");
  await expect(region).toBeEmpty();
  const before = await region.elementHandle();
  await answered;
  await expect(region).toContainText(/full cache.*The image is blank/s);
  expect(await region.evaluate((now, then) => now === then, before)).toBe(true);
});

test("notices of the engine are sentences in the page's language, that of a blank or unfamiliar image beside the answer", async ({
  page,
}) => {
  const { load, answers: recorded } = recording();
  const [first] = recorded;
  const notices = [{ code: "blankImage" }, { code: "earlierDropped", megabytes: 1.5 }] as const;
  const answer = { ...first!, result: { ...first!.result!, notices } };
  const strange = [{ code: "unfamiliarImage" }] as const;
  const other = recorded.find(({ question }) => question !== first!.question);
  const unlike = { ...other!, result: { ...other!.result!, notices: strange } };
  await openScripted(page, { script: { load, answers: [answer, unlike] } });
  await ask(page, answer.question);
  await expect(page.getByText(/^The image is blank/)).toBeVisible();
  await page.locator("summary", { hasText: "Details" }).click();
  await expect(page.getByText("Earlier rows were dropped to stay within 1.5 MB.")).toBeVisible();
  await expect(page.getByText(/^The image is blank/)).toHaveCount(1);
  await page.getByRole("button", { name: "中文" }).click();
  await expect(page.getByText(/^图像是空白的/)).toBeVisible();
  await expect(page.getByText("为不超过 1.5 MB，丢弃了较早的行。")).toBeVisible();
  await page.getByRole("button", { name: "English" }).click();
  await ask(page, unlike.question);
  await expect(page.getByText(/^The image is unlike the pages/)).toBeVisible();
});
