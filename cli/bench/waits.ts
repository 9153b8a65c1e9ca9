import type { Browser, Page } from "@playwright/test";
import { median } from "@/text/stats";
import { visitSite } from "../shared/visit";
import type { Report } from "./report";

/** What a person waits for, in milliseconds, at each of several visits. */
export interface UserWaits {
  /** From opening the page to the model being ready, when the adapter has been tested before. */
  readonly ready: readonly number[];
  /** From sending a question about the sample to the first token of its answer, with an empty cache. */
  readonly firstToken: readonly number[];
}

const SETTINGS = "policy=aircache&keep=10";
const QUESTION = "Read all the text.";
const MOST_MS = 180_000;

/** Visits the built page several times with the embedded model; `hasTime` decides on each visit after the first. */
export async function benchWaits(
  visits: number,
  hasTime: (visit: number) => boolean,
): Promise<UserWaits> {
  return visitSite((browser, url) => visit(browser, `${url}?${SETTINGS}`, visits, hasTime));
}

/** Each visit has storage of its own, with the self-test's result of a page before and without a conversation. */
async function visit(
  browser: Browser,
  url: string,
  visits: number,
  hasTime: (visit: number) => boolean,
): Promise<UserWaits> {
  const [ready, firstToken]: [number[], number[]] = [[], []];
  for (let run = 0; run < visits && (run === 0 || hasTime(run)); run++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const before = await context.newPage();
    await openPage(before, url);
    await before.waitForTimeout(1000); // the result of the self-test is stored
    await before.close();
    const page = await context.newPage();
    ready.push(await openPage(page, url));
    firstToken.push(await ask(page));
    await context.close();
  }
  return { ready, firstToken };
}

/** @returns milliseconds until the model is ready */
async function openPage(page: Page, url: string): Promise<number> {
  const opened = performance.now();
  await page.goto(url, { waitUntil: "load" });
  await page.getByText(/^context/).waitFor({ timeout: MOST_MS });
  return performance.now() - opened;
}

async function ask(page: Page): Promise<number> {
  await page.getByLabel("Question").fill(QUESTION);
  const sent = performance.now();
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    () => (document.querySelector("article[aria-label=Answer] > span")?.textContent ?? "") !== "",
    undefined,
    { timeout: MOST_MS },
  );
  return performance.now() - sent;
}

/** Prints medians with the shortest and the longest wait, in seconds, and what is aimed at. */
export function printWaits({ ready, firstToken }: UserWaits, report: Report): void {
  const spread = (ms: readonly number[]) =>
    [median(ms), Math.min(...ms), Math.max(...ms)].map((each) => (each / 1000).toFixed(1));
  const [open, question] = [ready, firstToken].map((ms) => {
    const [middle, low, high] = spread(ms);
    return `${middle} s (${low}–${high})`;
  });
  report.line(
    `\n${ready.length} visits: page opened → model ready ${open} (at most 5), ` +
      `question sent → first token ${question} (at most 6)`,
  );
}
