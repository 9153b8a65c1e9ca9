import { type Browser, chromium, type Page } from "@playwright/test";
import { findBrowser, launchOptions } from "../browser";
import { buildIfStale, serveSite } from "../site";

/** What a person waits for, in milliseconds, at each of several visits. */
export interface UserWaits {
  /** From opening the page to the model being ready. The first visit of the browser is not among them. */
  readonly ready: readonly number[];
  /** From sending a question about the sample to the first token of its answer, with an empty cache. */
  readonly firstToken: readonly number[];
}

const SETTINGS = "policy=aircache&keep=10";
const QUESTION = "Read all the text.";
const MOST_MS = 180_000;

/** Visits the built page several times with the embedded model; adapter and kernels are tested at the first visit only. */
export async function benchWaits(visits: number): Promise<UserWaits> {
  buildIfStale();
  const site = await serveSite();
  const browser = await chromium.launch(launchOptions(await findBrowser()));
  try {
    return await visit(browser, `${site.url}?${SETTINGS}`, visits);
  } finally {
    await browser.close();
    site.close();
  }
}

async function visit(browser: Browser, url: string, visits: number): Promise<UserWaits> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const [ready, firstToken]: [number[], number[]] = [[], []];
  for (let run = 0; run <= visits; run++) {
    const page = await context.newPage();
    const opened = performance.now();
    await page.goto(url, { waitUntil: "load" });
    await page.getByText(/^context/).waitFor({ timeout: MOST_MS });
    const readyMs = performance.now() - opened;
    if (run === 0) {
      await page.waitForTimeout(1000); // the result of the self-test is stored
    } else {
      ready.push(readyMs);
      firstToken.push(await ask(page));
    }
    await page.close();
  }
  return { ready, firstToken };
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
