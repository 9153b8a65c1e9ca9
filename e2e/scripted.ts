import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import type { RecordedAnswer, RecordedResult, Recording } from "../src/client/recording";
import type { Stage } from "../src/protocol/event";

const FILE = new URL("./recordings/receipt.json", import.meta.url);

/** Shortens the recorded load time. */
const LOAD_SPEED = 4;

/** Longer than any test, at any pace of a test. */
const FOR_EVER_MS = 1e9;

/** Events and results of the engine on the sample receipt. */
export function recording(): Recording {
  const { load, answers } = JSON.parse(fs.readFileSync(FILE, "utf8")) as Recording;
  const events = load.events.map(({ at, event }) => ({ at: at / LOAD_SPEED, event }));
  return { load: { ...load, events }, answers };
}

/** What the recording has for a question under a policy. */
export function recordedResult(question: string, policy: string): RecordedResult {
  const answer = recording().answers.find(
    (each) => each.question === question && each.policy === policy,
  );
  if (!answer?.result) throw new Error(`The recording has no “${question}” under ${policy}.`);
  return answer.result;
}

/**
 * Opens the page with an engine that plays a recording, so that every screen can be tested without
 * a GPU. The site has no recording; this serves one.
 */
export async function openScripted(
  page: Page,
  options: {
    /** 1 plays at the recorded speed. */
    readonly pace?: number;
    readonly query?: string;
    readonly script?: Recording;
    /** The engine waits for it before it loads. */
    readonly start?: Promise<void>;
  } = {},
): Promise<void> {
  const script = options.script ?? recording();
  await page.route("**/recording.json", async (route) => {
    await options.start;
    await route.fulfill({ json: script });
  });
  await page.goto(`./?engine=scripted&pace=${options.pace ?? 0.02}&${options.query ?? ""}`);
}

/** Asks, and waits until the new answer has ended: it need not be the last on the page. */
export async function ask(page: Page, question: string): Promise<void> {
  const answers = page.locator("article[data-phase]");
  const before = await answers.count();
  await page.getByLabel("Question").fill(question);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(answers).not.toHaveCount(before);
  await expect(page.locator("article:is([data-phase=queued], [data-phase=running])")).toHaveCount(
    0,
  );
}

/**
 * The newest conversation in the archive, which is written shortly after the page has changed: how many
 * answers it has, without those that have not ended, and how many images.
 */
export function stored(page: Page): Promise<{ readonly answers: number; readonly images: number }> {
  return page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await done(indexedDB.open("keepsight"));
    const table = (name: string) => database.transaction(name).objectStore(name);
    const entries = await done(table("entries").getAll());
    const newest = entries.sort((a, b) => b.updatedAt - a.updatedAt)[0];
    const record = newest && (await done(table("conversations").get(newest.id)));
    database.close();
    if (!record) return { answers: 0, images: 0 };
    const attempts = record.exchanges.flatMap((each: { attempts: unknown[] }) => each.attempts);
    const ended = attempts.filter(({ run }: { run: { phase: string } }) => run.phase === "done");
    return { answers: ended.length, images: record.pictures.length };
  });
}

/** Waits until the archive has every answer that is on the page, which may then be left. */
export async function untilStored(page: Page): Promise<void> {
  const answers = await page.locator("article[data-phase=done]").count();
  await expect.poll(() => stored(page)).toMatchObject({ answers });
}

/** A recording whose answers stand still once they are in a stage, until the page is left. */
export function standingIn(stage: Stage): Recording {
  const { load, answers } = recording();
  return { load, answers: answers.map((answer) => ({ ...answer, events: until(answer, stage) })) };
}

function until({ events }: RecordedAnswer, stage: Stage): RecordedAnswer["events"] {
  const end = events.findIndex(({ event }) => event.type === "stage" && event.stage === stage);
  const next = { ...events[end + 1]!, at: FOR_EVER_MS };
  return [...events.slice(0, end + 1), next];
}

/** Opens the settings that the Cache zone shows on demand. */
export async function openSettings(page: Page): Promise<void> {
  await page.getByRole("button", { name: "More settings" }).click();
  await expect(page.getByRole("dialog", { name: "More settings" })).toBeVisible();
}

export async function closeSettings(page: Page): Promise<void> {
  await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
}

/** Shows the chart of the time per token: where there is room for all charts, it is shown already. */
export async function showTime(page: Page): Promise<void> {
  const tab = page.getByRole("radio", { name: "Time per token" });
  if (await tab.isVisible()) await tab.check();
}

/** The first answer of the recording with another text, at the pace of its tokens. */
export function saying(answer: string): Recording {
  const { load, answers } = recording();
  const { result, events, ...asked } = answers[0]!;
  const start = events.find(({ event }) => event.type === "token")!.at;
  const words = answer.match(/\s*\S{1,4}/g)!.map((text, index) => ({
    at: start + 50 * index,
    event: { type: "token", index, id: index, text, ms: 50 } as const,
  }));
  const before = events.filter(({ at, event }) => at <= start && event.type !== "token");
  return {
    load,
    answers: [{ ...asked, events: [...before, ...words], result: { ...result!, answer } }],
  };
}
