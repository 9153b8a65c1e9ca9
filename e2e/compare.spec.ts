import { expect, type Page } from "@playwright/test";
import { EnginePage, must } from "../cli/shared/enginePage";
import type { TurnResult } from "../src/protocol/result";
import { test } from "./test";

/** Results of the lanes, as the page stores them in this browser. */
function keptResults(page: Page): Promise<readonly TurnResult[]> {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("keepsight");
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const all = request.result
            .transaction("conversations")
            .objectStore("conversations")
            .getAll();
          all.onsuccess = () => {
            const attempts = all.result.at(-1)?.exchanges[0]?.attempts ?? [];
            resolve(
              attempts.flatMap(({ run }: { run: { result?: TurnResult } }) => run.result ?? []),
            );
          };
        };
      }),
  );
}

/** Every lane's notes have the planned peak, and the measured peak equals it. */
function expectPlannedPeak(results: readonly TurnResult[]): void {
  const plans = new Set(results.map(({ notes }) => notes.plannedPeakBytes as number));
  expect(plans.size).toBe(1);
  const [plan = 0] = plans;
  const peak = Math.max(...results.map(({ kvBytes }) => kvBytes.peak));
  expect(Math.abs(peak / plan - 1), `peak ${peak}, planned ${plan}`).toBeLessThanOrEqual(0.05);
}

test("the built page compares three lanes from one prefill", async ({ page }) => {
  await page.goto("./?policy=aircache&keep=10");
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  await page.keyboard.press("c");
  await page.getByRole("textbox", { name: "Question" }).fill("What is the total?");
  await page.keyboard.press("Enter");
  await expect(page.locator("article[data-phase=done]")).toHaveCount(3, { timeout: 150_000 });

  const lane = (name: string) => page.getByRole("region", { name });
  await expect(lane("Full cache")).toContainText("reference");
  await expect(lane("Full cache").getByRole("article")).toContainText(/\$\d+\.\d\d/);
  await expect(lane("AirCache 10 %")).toContainText(/same answer|differs|\d of \d words agree/);
  await expect(lane("StreamingLLM 10 %")).toContainText(/same answer|differs|\d of \d words agree/);

  await expect.poll(async () => (await keptResults(page)).length).toBe(3);
  const [full, ...others] = await keptResults(page);
  expect(full!.kvBytes.end).toBe(full!.kvBytes.full);
  for (const other of others) {
    expect(other.answer).not.toBe("");
    expect(other.kvBytes.end).toBeLessThan(full!.kvBytes.end / 3);
    // Measured once for all of them: two runs would not take exactly the same time.
    expect([other.ms.vision, other.ms.prefill]).toEqual([full!.ms.vision, full!.ms.prefill]);
  }
  expectPlannedPeak([full!, ...others]);
  // The engine holds the first lane's cache alone.
  const meter = page.getByRole("meter", { name: "KV cache size" });
  await expect(meter).toHaveJSProperty("value", full!.kvBytes.end);
});

test("the picture is looked at once and the prompt read once, for three lanes", async ({
  page,
}) => {
  const engine = await EnginePage.open(page);
  // Several chunks.
  must(await engine.load("models/tiny-smolvlm/", { chunkRows: 32 }));
  engine.addImage("picture", "fixtures/vision/picture.png");
  await engine.heard();
  const turns = [{ images: ["picture"], question: "What is shown in this image?" }];
  const lanes = [
    { policy: "full", retention: 1 },
    { policy: "aircache", retention: 0.1 },
    { policy: "prefixkv", retention: 0.2, scope: "prompt" as const },
  ];
  const outcomes = must(await engine.compare({ turns, lanes }));
  const results = outcomes.map(({ result }) => result!);
  const events = await engine.heard();

  const stages = events.flatMap((event) => (event.type === "stage" ? [event] : []));
  const shared = stages.filter(({ stage }) => stage === "vision" || stage === "prefill");
  expect(shared.filter(({ stage }) => stage === "vision")).toEqual([
    { type: "stage", stage: "vision", done: 1, total: 1 },
  ]);
  const rows = results[0]!.promptTokens;
  const prefill = shared.filter(({ stage }) => stage === "prefill");
  expect(prefill.filter(({ done }) => done === 0)).toHaveLength(1);
  expect(prefill.filter(({ done }) => done === rows)).toHaveLength(1);
  for (const { total, lane } of prefill) expect([total, lane]).toEqual([rows, undefined]);
  for (const stage of ["plan", "compact", "decode"] as const) {
    const told = stages.filter((event) => event.stage === stage && event.done === 0);
    expect(told.map(({ lane }) => lane)).toEqual([0, 1, 2]);
  }

  // Lanes are decoded in sequence: all tokens of a lane before the first of the next.
  const tokens = events.flatMap((event) => (event.type === "token" ? [event] : []));
  const order = results.flatMap(({ tokenIds }, lane) => tokenIds.map(() => lane));
  expect(tokens.map(({ lane }) => lane)).toEqual(order);

  expectPlannedPeak(results);
  const highest = Math.max(...events.map((e) => (e.type === "memory" ? e.pools.kv : 0)));
  const { plannedPeakBytes } = results[0]!.notes;
  expect(highest).toBeLessThanOrEqual(plannedPeakBytes as number);
});
