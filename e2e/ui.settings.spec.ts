import { expect, type Page } from "@playwright/test";
import type { Recording } from "../src/client/recording";
import { expectAccessibleInBothThemes, expectNoSidewaysScroll } from "./pageChecks";
import { ask, closeSettings, openScripted, openSettings, recording } from "./scripted";
import { test } from "./test";

const composer = (page: Page) => page.getByRole("textbox", { name: "Question" });
const cap = (page: Page) => page.getByLabel("Cap", { exact: true });
/** What the Cache zone says of settings that are not the defaults. */
const changed = (page: Page) => page.getByRole("complementary").locator("[class*=now]");
const next = (page: Page) =>
  page
    .locator("form")
    .getByText(/^next: /)
    .last();
const facts = (page: Page) => page.locator("[class*=factLine]").last();

async function compare(page: Page): Promise<void> {
  await page.locator("form").getByRole("button", { name: "Compare" }).click();
}

/** An engine that refuses every question because the cap is too small. */
function refusing(message: string): Recording {
  const { load, answers } = recording();
  const { result: _, ...first } = answers[0]!;
  const action = "newConversation";
  const failure = { code: "capTooSmall", message, action, neededMb: 0.62 } as const;
  return { load, answers: [{ ...first, events: [], failure }] };
}

test("before the first question the meter says that nothing is cached", async ({ page }) => {
  await openScripted(page);
  await expect(page.getByText(/context 0/)).toBeVisible();
  const block = page.getByRole("region", { name: "KV cache now" });
  await expect(block).toContainText("nothing cached yet");
  await expect(block).not.toContainText(/\b0\sB of/);
  await ask(page, "What is the total?");
  await expect(block).toContainText(/of \d+\.\d\d\sMB full/);
});

test("a cap is part of the next settings, of the address and of the answer", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, "What is the total?");
  await expect(changed(page)).toHaveText("visual tokens, no cap");
  await openSettings(page);
  await expect(cap(page)).toHaveValue("");
  await expect(cap(page)).toHaveAttribute("placeholder", "off");
  await cap(page).pressSequentially("1.5");
  await expect(next(page)).toHaveText("next: AirCache 10 %, cap 1.5 MB");
  await expect(page).toHaveURL(/[?&]cap=1\.5(&|$)/);
  await expect(changed(page)).toHaveText("cap 1.5 MB");
  await closeSettings(page);
  await ask(page, "What is the total?");
  await expect(facts(page)).toContainText("AirCache 10 %, cap 1.5 MB");
  await openSettings(page);
  await cap(page).fill("");
  await expect(page).not.toHaveURL(/cap=/);
  await expect(next(page)).toHaveText("next: AirCache 10 %");
});

test("a cap that is no number is refused where it is typed", async ({ page }) => {
  await openScripted(page, { query: "cap=2" });
  await openSettings(page);
  await expect(cap(page)).toHaveValue("2");
  await cap(page).fill("-1");
  await expect(cap(page)).toHaveAttribute("aria-invalid", "true");
  await expect(cap(page)).toHaveAccessibleDescription(
    "A number from 0.01 to 100000, or nothing for off.",
  );
  await expect(page).toHaveURL(/cap=2/);
  await cap(page).blur();
  await expect(cap(page)).toHaveValue("2");
  await expect(cap(page)).toHaveAttribute("aria-invalid", "false");
});

test("a cap that is too small says under its field what it would need", async ({ page }) => {
  const message = "A cap of 0.1 MB is too small for this question: it needs 0.62 MB.";
  await openScripted(page, { query: "cap=0.1", script: refusing(message) });
  await ask(page, "What is the total?");
  await openSettings(page);
  await expect(cap(page)).toHaveAttribute("aria-invalid", "true");
  await expect(cap(page)).toHaveAccessibleDescription(message);
  await closeSettings(page);
  await page.getByRole("button", { name: "Raise the cap to 0.62 MB" }).click();
  await openSettings(page);
  await expect(cap(page)).toHaveValue("0.62");
  await cap(page).fill("0.7");
  await expect(cap(page)).not.toHaveAccessibleDescription(message);
});

test("sampling is chosen on demand, travels in the address and stands by the answer", async ({
  page,
}) => {
  await openScripted(page);
  await expect(page.getByLabel("Temperature")).toHaveCount(0);
  await openSettings(page);
  await page.getByLabel("Temperature").fill("0.7");
  await page.getByLabel("Top-p").fill("0.9");
  await page.getByLabel("Seed").fill("3");
  await page.getByLabel("Length limit, in tokens").fill("64");
  const words = "temperature 0.7, top-p 0.9, seed 3, at most 64 tokens";
  await expect(changed(page)).toHaveText(words);
  for (const part of ["temperature=0.7", "top-p=0.9", "seed=3", "max-new-tokens=64"]) {
    await expect(page).toHaveURL((url) => url.search.slice(1).split("&").includes(part));
  }
  await closeSettings(page);
  await ask(page, "What is the total?");
  await expect(facts(page)).toContainText(words);

  await openSettings(page);
  await page.getByLabel("Seed").fill("1.5");
  await expect(page.getByLabel("Seed")).toHaveAccessibleDescription(
    "A whole number from 0 to 4294967295.",
  );
  await expect(changed(page)).toHaveText(words);
  await page.getByRole("button", { name: "Back to the defaults" }).first().click();
  await expect(page.getByLabel("Temperature")).toHaveValue("0");
  await expect(changed(page)).toHaveText("visual tokens, no cap");
  await expect(page).not.toHaveURL(/temperature|seed|top-p|max-new/);
});

test("a link opens with its cap and its sampling", async ({ page }) => {
  await openScripted(page, { query: "cap=3&temperature=0.5&seed=x" });
  await openSettings(page);
  await expect(cap(page)).toHaveValue("3");
  await expect(page.getByLabel("Temperature")).toHaveValue("0.5");
  await expect(page.getByLabel("Seed")).toHaveValue("0");
});

test("the browser's bar has the colour of the theme that is in use", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await openScripted(page);
  const color = () =>
    page.evaluate(() => {
      const metas = [...document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")];
      return metas.filter(({ media }) => matchMedia(media).matches).map(({ content }) => content);
    });
  const light = await color();
  expect(light).toHaveLength(1);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await color();
  expect(dark).toHaveLength(1);
  expect(dark).not.toEqual(light);
  const theme = page.getByRole("button", { name: /^Theme/ });
  await theme.click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await expect.poll(color).toEqual(light);
  await page.reload();
  await expect.poll(color).toEqual(light);
});

test("a pinned lane stays, the others go back to the usual ones", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await compare(page);
  await page.getByLabel("Policy of lane 1").selectOption("prefixkv");
  await page.getByLabel("Keep percent of lane 3").fill("3");
  await page.getByLabel("Pin lane 3").check();
  await expect(page.getByText("Pinned lanes stay for the next question")).toBeVisible();
  await composer(page).fill("What is the total?");
  await composer(page).press("Enter");
  await expect(page.locator("article[data-phase=done]")).toHaveCount(3);
  await expect(page.getByLabel("Policy of lane 1")).toHaveValue("full");
  await expect(page.getByLabel("Policy of lane 2")).toHaveValue("aircache");
  await expect(page.getByLabel("Keep percent of lane 3")).toHaveValue("3");
  await expect(page.getByLabel("Pin lane 3")).toBeChecked();
  await page.getByLabel("Pin lane 3").uncheck();
  await composer(page).fill("And the date?");
  await composer(page).press("Enter");
  await expect(page.locator("article[data-phase=done]")).toHaveCount(6);
  await expect(page.getByLabel("Policy of lane 1")).toHaveCount(0);
});

test("one policy in two lanes, each with options of its own", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&keep=10&o.alpha=0.5" });
  await compare(page);
  await page.getByLabel("Policy of lane 3").selectOption("aircache");
  const third = page.getByRole("button", { name: "Options of lane 3" });
  await third.click();
  await expect(third).toHaveAttribute("aria-expanded", "true");
  const alpha = page.locator("form").getByLabel("α", { exact: true });
  await expect(alpha).toHaveValue("0.5");
  await alpha.fill("0.25");
  await expect(alpha).toBeFocused();
  await expect(third).toHaveText("Own options");
  await composer(page).fill("What is the total?");
  await composer(page).press("Enter");
  await expect(page.locator("article[data-phase=done]")).toHaveCount(3);
  const lanes = page.getByRole("region", { name: "AirCache 10 %" });
  await expect(lanes).toHaveCount(2);
  await expect(lanes.nth(0)).toContainText("α 0.5");
  await expect(lanes.nth(1)).toContainText("α 0.25");
  // A lane's options are separate from those of the settings.
  await expect(page).toHaveURL(/o\.alpha=0\.5/);
});

test("a lane's options go back to those of the Cache zone", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&o.alpha=0.5" });
  await compare(page);
  await expect(page.getByRole("button", { name: "Options of lane 1" })).toBeDisabled();
  await page.getByRole("button", { name: "Options of lane 2" }).click();
  const alpha = page.locator("form").getByLabel("α", { exact: true });
  await alpha.fill("0.25");
  await page.getByRole("button", { name: "Back to the options of the Cache zone" }).click();
  await expect(alpha).toHaveValue("0.5");
  await alpha.fill("0.25");
  await page.getByLabel("Policy of lane 2").selectOption("prefixkv");
  await page.getByLabel("Policy of lane 2").selectOption("aircache");
  await expect(alpha).toHaveValue("0.5");
});

for (const [width, height] of [
  [1440, 900],
  [390, 844],
  [320, 640],
] as const) {
  test(`settings and lanes are clean at ${width} px, light and dark`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await openScripted(page, { query: "policy=aircache&keep=10&cap=1234.56&seed=4294967295" });
    const clean = async () => {
      await expectAccessibleInBothThemes(page);
      await expectNoSidewaysScroll(page);
    };
    await compare(page);
    await page.getByLabel("Pin lane 2").check();
    await page.getByRole("button", { name: "Options of lane 2" }).click();
    await clean();
    if (width <= 720) await page.getByRole("button", { name: /^Cache settings/ }).click();
    await openSettings(page);
    await cap(page).fill("0");
    await clean();
  });
}
