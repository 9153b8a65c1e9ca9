import fs from "node:fs";
import { expect } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll } from "./pageChecks";
import { ask, openScripted, recording } from "./scripted";
import { test } from "./test";

/** The column of a policy in README's table of measured accuracy, from the largest retention on. */
function readmeShares(policy: string): string[] {
  const lines = fs.readFileSync("README.md", "utf8").split("\n");
  const header = lines.findIndex((line) => line.startsWith("| kept of the image |"));
  const [names, , ...rows] = lines
    .slice(header, lines.indexOf("", header))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.map((cells) => cells[names!.indexOf(policy)]!);
}

test("the About page says of each method what it did here, and nothing that was not measured", async ({
  page,
}) => {
  const question = "What is the date?";
  const { result } = recording().answers.find(
    (answer) => answer.question === question && answer.policy === "aircache",
  )!;
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await page.getByRole("link", { name: "About" }).click();
  const method = (name: string) => page.getByRole("region", { name, exact: true });
  await expect(method("AirCache").getByText(/^Ask with AirCache/)).toBeVisible();
  await expect(page.getByRole("table")).toHaveCount(1); // of the measured accuracy
  const measured = method("What was measured").getByRole("row", { name: /^SnapKV/ });
  const shares = readmeShares("SnapKV").map((share) => new RegExp(`^${share}\\s%$`));
  await expect(measured.getByRole("cell")).toHaveText(shares);
  await expect(page.getByText(/from your last answer/)).toHaveCount(0);

  const licences = page.getByRole("link", { name: "Licences of this page" });
  const text = await (await page.request.get((await licences.getAttribute("href"))!)).text();
  for (const name of ["Keepsight", "onnxruntime-web", "@fontsource-variable/inter", "react"]) {
    expect(text).toMatch(new RegExp(`^${name}( [\\d.]+.*)?$`, "m"));
  }
  await page.getByRole("link", { name: "Chat", exact: true }).first().click();
  await ask(page, question);
  await page.getByRole("link", { name: "About" }).click();
  const table = method("AirCache").getByRole("table", { name: `AirCache 10 %, “${question}”` });
  const kept = table.getByRole("row", { name: /^rows kept/ });
  await expect(kept.getByRole("cell")).toHaveCount(result!.layers.length);
  const rows = result!.layers.map(({ rowsAfter }) => rowsAfter.toFixed(0)).join(" ");
  await expect(table.getByRole("row", { name: `rows kept ${rows}` })).toBeVisible();
  const strength = (result!.notes.strength as number[]).map((value) => value.toFixed(2)).join(" ");
  await expect(table.getByRole("row", { name: `strength ${strength}` })).toBeVisible();
  await expect(method("PrefixKV").getByText(/^Ask with PrefixKV/)).toBeVisible();
  await expect(page.getByText(/is from your last answer, with AirCache 10\s%/)).toBeVisible();
  // The image stands beside the steps, not over them.
  const figure = await page.getByRole("main").locator("figure").last().boundingBox();
  const steps = await page.getByRole("main").locator("ol").first().boundingBox();
  expect(figure!.x + figure!.width).toBeLessThanOrEqual(steps!.x);

  await expectAccessible(page);
});

test("the About page holds on the smallest screen", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, "What is the date?");
  await page.getByRole("link", { name: "About" }).click();
  await expect(page.getByRole("table", { name: /^AirCache 10/ })).toBeVisible();
  await page.getByRole("main").getByText("Options", { exact: true }).first().click();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});
