/**
 * Takes the images under docs/screens from a served build and a recording of its weights:
 *   npm start -- --port 4193 &
 *   node e2e/recordings/record.mjs http://127.0.0.1:4193/ screens.json RETENTION
 *   node e2e/recordings/screens.mjs http://127.0.0.1:4193/ docs/screens screens.json
 */
import fs from "node:fs";
import { chromium } from "@playwright/test";

const [site, folder, file] = process.argv.slice(2);
if (!site || !folder || !file) throw new Error("usage: screens.mjs SITE FOLDER RECORDING");
const recording = fs.readFileSync(file, "utf8");
const { retention } = JSON.parse(recording).answers.find(({ policy }) => policy === "aircache");
/** What AirCache keeps in the recording. */
const percent = Math.round(100 * retention);
const { executablePath, args, env } = JSON.parse(
  fs.readFileSync("node_modules/.cache/keepsight/browser.json", "utf8"),
);
const SIZES = {
  desktop: [1440, 900],
  laptop: [1366, 650],
  phone: [390, 844],
  landscape: [844, 390],
};

fs.mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath,
  args,
  env: { ...process.env, ...env },
});
try {
  for (const [size, [width, height]] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) {
      const name = `${folder}/${size}-${colorScheme}`;
      for (const take of [takeAnswers, takeLanes]) {
        const page = await browser.newPage({ viewport: { width, height }, colorScheme });
        await take(page, name, width);
        await page.close();
      }
    }
  }
} finally {
  await browser.close();
}

/** The chat, a word with its attended patches, the cache as a sheet, About. */
async function takeAnswers(page, name, width) {
  await open(page, `policy=full&keep=${percent}`);
  await page.getByRole("button", { name: "What is the total?" }).click();
  await answers(page, 1);
  await page.getByRole("button", { name: "Ask again with…" }).click();
  await page.getByRole("menuitem", { name: `AirCache ${percent} %` }).click();
  await answers(page, 2);
  await shoot(page, `${name}-chat`);
  if (width > 1180) {
    await page.locator("article").nth(1).locator("[data-word]").last().focus();
    await shoot(page, `${name}-words`);
    await page.keyboard.press("Escape");
    await page.getByText("Heat", { exact: true }).click();
    if (name.endsWith("light")) await shoot(page, `${name}-heat`);
  }
  if (width <= 720) {
    await page.getByRole("button", { name: /^Cache settings/ }).click();
    await shoot(page, `${name}-cache`);
    await page.getByRole("button", { name: "Done" }).click();
  }
  await page.getByRole("link", { name: "About" }).click();
  await page.getByRole("heading", { name: "How a prompt becomes rows" }).waitFor();
  await shoot(page, `${name}-about`);
}

/** Three lanes under one question, and the conversation's charts by turn. */
async function takeLanes(page, name) {
  await open(page, `policy=aircache&keep=${percent}`);
  await page.getByRole("button", { name: "What is the date?" }).click();
  await answers(page, 1);
  await page.locator("form").getByRole("button", { name: "Compare" }).click();
  // The recorded lanes, so that no lane shows another lane's numbers.
  await page.getByLabel("Policy of lane 3").selectOption("prefixkv");
  await page.getByLabel("Keep percent of lane 3").fill("20");
  await page.getByRole("textbox", { name: "Question" }).fill("What is the total?");
  await page.keyboard.press("Enter");
  await answers(page, 4);
  const byTurn = page.getByText("By turn", { exact: true }).filter({ visible: true });
  if (await byTurn.isVisible()) await byTurn.click();
  await shoot(page, `${name}-compare`);
}

async function open(page, query) {
  await page.route("**/recording.json", (route) =>
    route.fulfill({ contentType: "application/json", body: recording }),
  );
  await page.goto(`${site}?engine=scripted&pace=0.02&${query}`);
  await page.getByRole("button", { name: /^Receipt/, pressed: true }).waitFor();
}

async function shoot(page, name) {
  await page.mouse.move(1, 1);
  await page.waitForTimeout(400);
  await page.screenshot({ path: `${name}.png` });
}

async function answers(page, count) {
  await page.waitForFunction(
    (wanted) => document.querySelectorAll("article[data-phase=done]").length === wanted,
    count,
  );
}
