import { expect, type Page, test } from "@playwright/test";
import type { TurnResult } from "../src/protocol/engine";

/** Results of the lanes, as the page keeps them in this browser. */
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
  await expect(lane("AirCache 10 %")).toContainText(/\d of \d words agree/);
  await expect(lane("StreamingLLM 10 %")).toContainText(/\d of \d words agree/);

  await expect.poll(async () => (await keptResults(page)).length).toBe(3);
  const [full, ...others] = await keptResults(page);
  expect(full!.kvBytes.end).toBe(full!.kvBytes.full);
  for (const other of others) {
    expect(other.answer).not.toBe("");
    expect(other.kvBytes.end).toBeLessThan(full!.kvBytes.end / 3);
    // Measured once, for all of them: two runs never take the same time to the last digit.
    expect([other.ms.vision, other.ms.prefill]).toEqual([full!.ms.vision, full!.ms.prefill]);
  }
  // The engine holds the first lane's cache alone.
  const meter = page.getByRole("meter", { name: "KV cache kept" });
  await expect(meter).toHaveJSProperty("value", full!.kvBytes.end);
});
