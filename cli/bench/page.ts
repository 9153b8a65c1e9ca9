import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "@playwright/test";
import { quantile } from "@/text/stats";
import { visitSite } from "../shared/visit";
import { percent, type Report } from "./report";

/** The load of the page's main thread during an answer, for one engine. */
interface PageReport {
  /** The engine in its worker, or a recording, which has no cost of its own. */
  readonly engine: "real" | "scripted";
  /** From navigation to a loaded model. */
  readonly readyMs: number;
  /** Longest main-thread task between *Ask* and the end of the answer; 0 if none exceeds 50 ms. */
  readonly longestTaskMs: number;
  /** Share of that time in tasks over 50 ms. */
  readonly busyShare: number;
  /** Milliseconds from an interaction to the next paint, for interactions while tokens streamed. */
  readonly interactions: {
    readonly count: number;
    readonly p98Ms: number;
    readonly maxMs: number;
  };
  /** Drawing of the charts while tokens streamed: its rate, and its share of the main thread. */
  readonly charts: { readonly draws: number; readonly share: number };
  /** Bytes of gzip-compressed JavaScript fetched before the window's `load` event. */
  readonly scriptBytes: number;
}

/** Browsers do not report faster interactions; they count as this duration. */
const SHORTEST_MS = 16;
const RECORDING = "e2e/recordings/receipt.json";
const SETTINGS = "policy=aircache&keep=10";
const QUESTION = "Read all the text.";

/** Measures the built page in a headless browser, with a recording and with the embedded model. */
export async function benchPage(): Promise<readonly PageReport[]> {
  return visitSite(async (browser, url) => [
    await benchEngine(browser, url, "scripted"),
    await benchEngine(browser, url, "real"),
  ]);
}

async function benchEngine(
  browser: Browser,
  site: string,
  engine: PageReport["engine"],
): Promise<PageReport> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(observe);
    await page.route("**/recording.json", (route) => route.fulfill({ path: RECORDING }));
    const started = performance.now();
    const query = engine === "scripted" ? `?engine=scripted&pace=1&${SETTINGS}` : `?${SETTINGS}`;
    await page.goto(`${site}${query}`, { waitUntil: "load" });
    const scriptBytes = await loadedScriptBytes(page);
    await page.getByText(/^context/).waitFor({ timeout: 120_000 });
    const readyMs = performance.now() - started;
    const { asked, streamed, ended, made } = await askAndInteract(page);
    const seen = await page.evaluate(() => (window as unknown as { seen: Seen }).seen);
    const tasks = during(seen.tasks, asked, ended).map(({ ms }) => ms);
    const draws = during(seen.draws, streamed, ended).map(({ ms }) => ms);
    return {
      engine,
      readyMs,
      longestTaskMs: Math.max(0, ...tasks),
      busyShare: sum(tasks) / (ended - asked),
      interactions: interactionTimes(during(seen.events, streamed, ended), made),
      charts: { draws: draws.length, share: sum(draws) / (ended - streamed) },
      scriptBytes,
    };
  } finally {
    await context.close();
  }
}

interface Timed {
  readonly at: number;
  readonly ms: number;
  /** The interaction of an event; 0 if none. */
  readonly interaction: number;
}

interface Seen {
  readonly tasks: Timed[];
  readonly events: Timed[];
  readonly draws: Timed[];
}

/** Runs in the page before its own scripts: long tasks, slow events, and the charts' user timings. */
function observe(): void {
  const seen: Seen = { tasks: [], events: [], draws: [] };
  Object.assign(window, { seen });
  const keep = (into: Timed[], options: PerformanceObserverInit) =>
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.entryType === "measure" && entry.name !== "keepsight chart") continue;
        const { interactionId: interaction = 0 } = entry as { interactionId?: number };
        into.push({ at: entry.startTime, ms: entry.duration, interaction });
      }
    }).observe(options);
  keep(seen.tasks, { type: "longtask" });
  keep(seen.events, { type: "event", durationThreshold: 16 } as PerformanceObserverInit);
  keep(seen.draws, { type: "measure" });
}

/** Asks, and interacts with the page during the answer. */
async function askAndInteract(page: Page) {
  const now = () => page.evaluate(() => performance.now());
  const question = page.getByLabel("Question");
  await question.fill(QUESTION);
  const asked = await now();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => {
    const text = document.querySelector("article[aria-label=Answer] > span")?.textContent;
    return text !== undefined && text !== "";
  });
  const streamed = await now();
  const answer = page.locator("article[aria-label=Answer]");
  const isDone = async () => (await answer.getAttribute("data-phase")) !== "running";
  const actions = interactions(page);
  let made = 0;
  while (!(await isDone())) {
    await actions[made % actions.length]?.();
    made += 1;
  }
  const ended = await now();
  // Entries are delivered shortly after the paint.
  await page.waitForTimeout(500);
  return { asked, streamed, ended, made };
}

/** One interaction each: type a letter, move the slider, change the layer, switch the overlay. */
function interactions(page: Page): readonly (() => Promise<void>)[] {
  const press = async (label: string | RegExp, key: string) => {
    await page.getByLabel(label, { exact: true }).first().press(key);
  };
  return [
    () => press("Question", "a"),
    () => press("Keep", "ArrowRight"),
    () => page.keyboard.press("]"),
    () => page.getByText("Off", { exact: true }).click(),
    () => press("Question", "b"),
    () => press("Keep", "ArrowLeft"),
    () => page.keyboard.press("["),
    () => page.getByText("Kept", { exact: true }).click(),
  ];
}

/** The longest event of each interaction, including those too fast to be reported. */
function interactionTimes(events: readonly Timed[], made: number): PageReport["interactions"] {
  const longest = new Map<number, number>();
  for (const { interaction, ms } of events) {
    if (interaction === 0) continue;
    longest.set(interaction, Math.max(ms, longest.get(interaction) ?? 0));
  }
  const fast = new Array<number>(Math.max(0, made - longest.size)).fill(SHORTEST_MS);
  const times = [...longest.values(), ...fast];
  return { count: made, p98Ms: quantile(times, 0.98), maxMs: Math.max(0, ...times) };
}

async function loadedScriptBytes(page: Page): Promise<number> {
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .flatMap(({ name }) => (name.endsWith(".js") ? [name] : [])),
  );
  const sizes = scripts.map(
    (url) => gzipSync(fs.readFileSync(path.join("dist", new URL(url).pathname))).length,
  );
  return sum(sizes);
}

function during(entries: readonly Timed[], from: number, to: number): readonly Timed[] {
  return entries.filter(({ at }) => at >= from && at < to);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Prints the page's load in four lines, with what is aimed at. */
export function printPage(page: PageReport, report: Report): void {
  const { engine, readyMs, longestTaskMs, busyShare, interactions, charts, scriptBytes } = page;
  report.line(
    `\npage over the ${engine} engine: ready ${readyMs.toFixed(0)} ms after navigation, ` +
      `${(scriptBytes / 1000).toFixed(0)} kB of gzipped JavaScript before load\n` +
      `main thread while answering: longest task ${longestTaskMs.toFixed(0)} ms, ` +
      `${percent(busyShare)} of the time in tasks over 50 ms\n` +
      `while tokens stream: ${interactions.count} interactions, next paint after ` +
      `${interactions.p98Ms.toFixed(0)} ms at the 98th percentile, ${interactions.maxMs.toFixed(0)} ms at most (below 200)\n` +
      `charts: ${charts.draws} drawings, ${percent(charts.share)} of a core (below 2)`,
  );
}
