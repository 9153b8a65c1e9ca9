import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import { findBrowser, launchOptions } from "../cli/shared/browser";
import { expectAccessible } from "./pageChecks";
import { openScripted } from "./scripted";
import { test } from "./test";

const browser = await findBrowser();
const CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
test.use({ launchOptions: launchOptions({ ...browser, args: [...browser.args, ...CAMERA] }) });

const chips = (page: Page) => page.getByRole("button", { name: /^Remove / });
const choose = async (page: Page, source: "Files…" | "Camera…") => {
  const composer = page.locator("form").filter({ has: page.getByLabel("Question") });
  await composer.getByRole("button", { name: "+ Image" }).click();
  await page.getByRole("menuitem", { name: source }).click();
};

test("the camera takes a still, and is off once its dialog is closed", async ({ page }) => {
  await page.addInitScript(() => {
    const streams: MediaStream[] = [];
    Object.assign(window, { streams });
    const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await own(constraints);
      streams.push(stream);
      return stream;
    };
  });
  const live = () =>
    page.evaluate(() =>
      (window as unknown as { streams: MediaStream[] }).streams.map(({ active }) => active),
    );
  await openScripted(page);
  const open = async () => {
    await choose(page, "Camera…");
    await expect(page.getByRole("button", { name: "Take the image" })).toBeEnabled();
  };
  await open();
  expect(await live()).toEqual([true]);
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Camera" })).toBeHidden();
  await expect.poll(live).toEqual([false]); // the close event comes after the dialog is hidden
  await open();
  await page.getByRole("button", { name: "Take the image" }).click();
  await expect(page.getByAltText(/^Your image: Camera, /)).toBeVisible();
  await expect(page.locator("figure img")).toHaveJSProperty("complete", true);
  await expect.poll(live).toEqual([false, false]);
});

for (const [name, sentence] of [
  ["NotAllowedError", /was denied\. Allow it/],
  ["NotFoundError", /There is no camera here/],
] as const) {
  test(`a camera that answers ${name} gets one sentence`, async ({ page }) => {
    await page.addInitScript((error) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", error));
    }, name);
    await openScripted(page);
    await choose(page, "Camera…");
    const dialog = page.getByRole("dialog", { name: "Camera" });
    await expect(dialog.getByRole("alert")).toHaveText(sentence);
    await expect(page.getByRole("button", { name: "Take the image" })).toHaveCount(0);
    await expectAccessible(page);
  });
}

test("a video becomes frames with their times, and the camera gives frames, too", async ({
  page,
}) => {
  await openScripted(page);
  const buffer = fs.readFileSync("fixtures/images/fade.webm");
  const chosen = page.waitForEvent("filechooser");
  await choose(page, "Files…");
  await (await chosen).setFiles([{ name: "fade.webm", mimeType: "video/webm", buffer }]);
  const dialog = page.getByRole("dialog", { name: "Frames of a video" });
  await dialog.getByLabel("Number of frames").fill("4");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Add the frames" }).click();
  await expect(dialog).toBeHidden();
  await expect(chips(page)).toHaveCount(4);
  const shown = page.getByRole("button", { name: /^Show fade\.webm, 0:0\d$/ });
  await expect(shown).toHaveCount(4);
  // Brighter from frame to frame.
  const levels = await shown
    .locator("img")
    .evaluateAll(async (images: readonly HTMLImageElement[]) => {
      const levels: number[] = [];
      for (const image of images) {
        await image.decode();
        const context = new OffscreenCanvas(1, 1).getContext("2d")!;
        context.drawImage(image, 0, 0, 1, 1);
        levels.push(context.getImageData(0, 0, 1, 1).data[0]!);
      }
      return levels;
    });
  expect(levels).toEqual([...levels].sort((a, b) => a - b));
  expect(levels[3]! - levels[0]!).toBeGreaterThan(60);

  const other = page.waitForEvent("filechooser");
  await choose(page, "Files…");
  const broken = { name: "broken.webm", mimeType: "video/webm", buffer: Buffer.from("no video") };
  await (await other).setFiles([broken]);
  await dialog.getByRole("button", { name: "Add the frames" }).click();
  await expect(dialog.getByRole("alert")).toContainText("cannot be decoded as a video");
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(chips(page)).toHaveCount(4);

  await choose(page, "Camera…");
  await page.getByRole("button", { name: "Take 8 frames, one per second" }).click();
  await expect(page.getByRole("dialog", { name: "Camera" })).toBeHidden({ timeout: 60_000 });
  await expect(chips(page)).toHaveCount(12);
});
