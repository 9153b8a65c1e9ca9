import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import type { RecordedResult, Recording } from "../src/client/recording";

const FILE = new URL("./recordings/receipt.json", import.meta.url);

/** Shortens the recorded load time. */
const LOAD_SPEED = 4;

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
  } = {},
): Promise<void> {
  const script = options.script ?? recording();
  await page.route("**/recording.json", (route) => route.fulfill({ json: script }));
  await page.goto(`./?engine=scripted&pace=${options.pace ?? 0.02}&${options.query ?? ""}`);
}

/** Asks, and waits until the answer has ended. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel("Question").fill(question);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(page.getByRole("article", { name: "Answer" }).last()).toHaveAttribute(
    "data-phase",
    /done|failed/,
  );
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
