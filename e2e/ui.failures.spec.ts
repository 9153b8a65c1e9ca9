import { expect } from "@playwright/test";
import type { Recording } from "../src/client/recording";
import type { EngineFailure } from "../src/protocol/failure";
import { ask, openScripted, openSettings, recording } from "./scripted";
import { test } from "./test";

/** The recording, with every answer replaced by a failure. */
function failing(failure: EngineFailure): Recording {
  const { load, answers } = recording();
  const [first] = answers;
  const { result: _, ...asked } = first!;
  return { load, answers: [{ ...asked, events: asked.events.slice(0, 3), failure }] };
}

const files = [
  ["notes.txt", "just text", /“notes.txt” is not an image that can be read here/],
  ["empty.png", "", /“empty.png” is empty/],
] as const;

for (const [name, content, sentence] of files) {
  test(`${name} is refused in one sentence and nothing typed is lost`, async ({ page }) => {
    await openScripted(page);
    await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
    await page.getByLabel("Question").fill("half a thought");
    const buffer = Buffer.from(content);
    await page.getByLabel("Image file").setInputFiles({ name, mimeType: "image/png", buffer });
    await expect(page.getByRole("alert")).toContainText(sentence);
    await expect(page.getByRole("button", { name: "Choose another image" })).toBeVisible();
    await expect(page.getByLabel("Question")).toHaveValue("half a thought");
    await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  });
}

test("an image of 400 megapixels is refused from its header", async ({ page }) => {
  await openScripted(page);
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  const header = "89504e470d0a1a0a0000000d4948445200004e2000004e200802000000";
  const buffer = Buffer.from(header, "hex");
  await page
    .getByLabel("Image file")
    .setInputFiles({ name: "huge.png", mimeType: "image/png", buffer });
  await expect(page.getByRole("alert")).toContainText("400 megapixels (20000 × 20000)");
});

test("a failed answer stands where it happened and is tried again", async ({ page }) => {
  const failure = {
    code: "outOfMemory",
    message: "The GPU has no memory left.",
    action: "keepLess",
  };
  await openScripted(page, { script: failing(failure as EngineFailure) });
  await ask(page, "What is the total?");
  await expect(
    page.getByRole("group", { name: "What is the total?" }).getByRole("alert"),
  ).toContainText("no memory left");
  await page.getByLabel("Question").fill("half a thought");
  await page.getByRole("button", { name: "Keep less" }).click();
  await expect(page.getByLabel("Keep percent")).toHaveValue("25");
  await expect(
    page.getByRole("group", { name: "What is the total?" }).getByRole("alert"),
  ).toBeVisible();
  await expect(page.getByLabel("Question")).toHaveValue("half a thought");
});

test("without memory for another image, less of the earlier ones can be kept", async ({ page }) => {
  const [answer] = recording().answers;
  const { result: _, ...asked } = answer!;
  const failure = { code: "outOfMemory", message: "No memory.", action: "keepLess" } as const;
  const failed = { ...asked, question: "And this one?", events: [], failure };
  await openScripted(page, { script: { ...recording(), answers: [answer!, failed] } });
  await ask(page, answer!.question);
  await ask(page, failed.question);
  const last = page.getByRole("group", { name: failed.question });
  await last.getByRole("button", { name: "Keep less of earlier images" }).click();
  await expect(page.getByText("earlier images 25 %", { exact: true })).toBeVisible();
  await expect(last.getByRole("alert")).toBeVisible();
  await last.getByRole("button", { name: "Keep less of earlier images" }).click();
  await openSettings(page);
  await expect(page.getByLabel("Earlier images")).toHaveValue("13");
  await page.getByLabel("Earlier images").fill("0");
  await expect(
    page.getByText("A whole number from 1 to 100, or nothing for unchanged."),
  ).toBeVisible();
});

test("a model that cannot be loaded says why, keeps the question and loads on request", async ({
  page,
}) => {
  const message = "The model has no file model.safetensors.";
  const script = recording();
  const broken: Recording = {
    ...script,
    load: { events: [], failure: { code: "missingFile", message, action: "reload" } },
  };
  await openScripted(page, { script: broken });
  await expect(page.getByRole("alert").first()).toContainText(message);
  await page.getByLabel("Question").fill("What is the total?");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/could not be loaded/)).toBeVisible();
  await page.getByRole("button", { name: "Load the model again" }).first().click();
  await expect(page.getByRole("alert").first()).toContainText(message);
  await expect(page.getByRole("group", { name: "What is the total?" })).toBeVisible();
});

test("without WebGPU the page says so, and everything else works", async ({ page }) => {
  const script: Recording = {
    ...recording(),
    load: { events: [], failure: { code: "noWebGpu", message: "no adapter" } },
  };
  await openScripted(page, { script });
  await expect(page.getByRole("alert")).toContainText(
    "The model needs WebGPU, which this browser does not have",
  );
  await expect(page.getByText("No WebGPU", { exact: true })).toBeVisible();
  await page
    .getByRole("button", { name: /^Chart/ })
    .first()
    .click();
  await expect(page.getByRole("button", { name: /^Chart/, pressed: true })).toBeVisible();
  await page.getByLabel("Policy", { exact: true }).selectOption("H2O");
  await expect(page.getByLabel("Policy", { exact: true })).toHaveValue("h2o");
});

test("a question of 10 000 characters is refused where it is typed", async ({ page }) => {
  await openScripted(page);
  await page.getByLabel("Question").fill("why ".repeat(2500));
  await expect(page.getByRole("alert")).toContainText("8000 are the limit");
  await expect(page.getByRole("button", { name: "Ask", exact: true })).toBeDisabled();
  await page.getByLabel("Question").fill("   ");
  await expect(page.getByRole("button", { name: "Ask", exact: true })).toBeDisabled();
});
