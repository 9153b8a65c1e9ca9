import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "@playwright/test";
import { findBrowser } from "./browser";
import { buildIfStale, serveSite } from "./site";

/** What an answer costs the page's main thread. */
export interface PageReport {
  /** From navigation to a model that is ready. */
  readonly readyMs: number;
  /** Longest task of the main thread between *Ask* and the end of the answer; 0: none over 50 ms. */
  readonly longestTaskMs: number;
  /** Share of the main thread that was busy in tasks over 50 ms meanwhile. */
  readonly busyShare: number;
  /** Bytes of JavaScript, gzip-compressed, that had been fetched when the window's `load` event fired. */
  readonly scriptBytes: number;
}

/** The built page with its embedded model, asked once in a headless browser. */
export async function benchPage(question: string): Promise<PageReport> {
  buildIfStale();
  const { executablePath, args } = await findBrowser();
  const site = await serveSite();
  const browser = await chromium.launch({ executablePath, args: [...args] });
  try {
    const page = await browser.newPage();
    await page.addInitScript(() => {
      const seen: PerformanceEntry[] = [];
      Object.assign(window, { longTasks: seen });
      new PerformanceObserver((list) => seen.push(...list.getEntries())).observe({
        type: "longtask",
      });
    });
    const started = performance.now();
    await page.goto(site.url, { waitUntil: "load" });
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .flatMap(({ name }) => (name.endsWith(".js") ? [name] : [])),
    );
    await page.getByText(/^context/).waitFor({ timeout: 120_000 });
    const readyMs = performance.now() - started;
    const from = await page.evaluate(() => performance.now());
    await page.getByLabel("Question").fill(question);
    await page.keyboard.press("Enter");
    await page.locator("[aria-label=Answer][data-phase=done]").last().waitFor({ timeout: 300_000 });
    const { longest, total, passed } = await page.evaluate((since) => {
      const { longTasks } = window as unknown as { longTasks: PerformanceEntry[] };
      const mine = longTasks.filter(({ startTime }) => startTime >= since);
      return {
        longest: Math.max(0, ...mine.map(({ duration }) => duration)),
        total: mine.reduce((sum, { duration }) => sum + duration, 0),
        passed: performance.now() - since,
      };
    }, from);
    const scriptBytes = scripts
      .map((url) => gzipSync(fs.readFileSync(path.join("dist", new URL(url).pathname))).length)
      .reduce((a, b) => a + b, 0);
    return { readyMs, longestTaskMs: longest, busyShare: total / passed, scriptBytes };
  } finally {
    await browser.close();
    site.close();
  }
}
