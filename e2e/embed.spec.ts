import { expect } from "@playwright/test";
import { serveSite } from "../cli/shared/site";
import { test } from "./test";

test("the example page answers with the real engine, from under a sub-path", async ({ page }) => {
  const site = await serveSite({ app: "dist" });
  const base = `${site.url}app/`;
  const strays: string[] = [];
  page.on("request", (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(base)) {
      strays.push(request.url());
    }
  });
  page.on("response", (response) => {
    if (!response.ok()) strays.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${base}examples/embed.html`);
  const status = page.getByRole("status").last();
  await expect(status).toHaveText("Ready.", { timeout: 120_000 });

  await page.getByLabel("Image").setInputFiles("fixtures/images/receipt.png");
  await page.getByLabel("Question").fill("What is the total?");
  const answer = page.getByLabel("Answer");
  await page.evaluate(() => {
    const lengths: number[] = [];
    const output = document.querySelector("output")!;
    new MutationObserver(() => lengths.push(output.textContent.length)).observe(output, {
      childList: true,
    });
    Object.assign(window, { lengths });
  });
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(status).toHaveText(/^KV cache: \d+ bytes instead of \d+$/, { timeout: 120_000 });
  await expect(answer).not.toBeEmpty();

  const [held, full] = (await status.textContent())!.match(/\d+/g)!.map(Number) as [number, number];
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(full / 2);
  const lengths = await page.evaluate(
    () => (window as unknown as { readonly lengths: readonly number[] }).lengths,
  );
  expect(new Set(lengths).size, "the answer grew token by token").toBeGreaterThan(1);

  await page.getByLabel("Image").setInputFiles("fixtures/images/not-an-image.png");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(status).toContainText(/image|picture/i);
  await expect(page.getByRole("button", { name: "Ask" })).toBeEnabled();
  expect(strays).toEqual([]);
  site.close();
});
