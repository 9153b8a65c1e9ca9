/**
 * Takes the pictures under docs/screens from a served build and a recording:
 *   npm start -- --port 4193 &
 *   node e2e/recordings/screens.mjs http://127.0.0.1:4193/ docs/screens
 */
import fs from "node:fs";
import { chromium } from "@playwright/test";

const [site, folder] = process.argv.slice(2);
if (!site || !folder) throw new Error("usage: screens.mjs SITE FOLDER");
const recording = fs.readFileSync(new URL("./receipt.json", import.meta.url), "utf8");
const { executablePath, args } = JSON.parse(
  fs.readFileSync("node_modules/.cache/keepsight/browser.json", "utf8"),
);
const SIZES = { desktop: [1440, 900], tablet: [768, 1024], phone: [390, 844] };

fs.mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args });
try {
  for (const [size, [width, height]] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme });
      await takeAll(page, `${folder}/${size}-${colorScheme}`);
      await page.close();
    }
  }
} finally {
  await browser.close();
}

async function takeAll(page, name) {
  await page.route("**/recording.json", (route) =>
    route.fulfill({ contentType: "application/json", body: recording }),
  );
  await page.goto(`${site}?engine=scripted&pace=0.02&policy=full&keep=20&layer=5`);
  await page.getByRole("button", { name: "What is the date?" }).click();
  await answers(page, 1);
  await page.getByRole("button", { name: "Ask again with…" }).click();
  await page.getByRole("menuitem", { name: "PrefixKV 20 %" }).click();
  await answers(page, 2);
  await page.mouse.move(1, 1);
  await page.waitForTimeout(400);
  await page.screenshot({ path: `${name}-chat.png` });
  if (page.viewportSize().width <= 720) {
    await page.getByRole("button", { name: /^Cache settings/ }).click();
    await page.waitForTimeout(400);
    await page.screenshot({ path: `${name}-cache.png` });
    await page.getByRole("button", { name: "Done" }).click();
  }
  await page.getByRole("link", { name: "About" }).click();
  await page.getByRole("heading", { name: "How a prompt becomes rows" }).waitFor();
  await page.waitForTimeout(400);
  await page.screenshot({ path: `${name}-about.png` });
}

async function answers(page, count) {
  await page.waitForFunction(
    (wanted) => document.querySelectorAll("article[data-phase=done]").length === wanted,
    count,
  );
}
