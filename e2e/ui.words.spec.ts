import { deflateSync, inflateSync } from "node:zlib";
import { expect, type Page } from "@playwright/test";
import { decoded } from "../src/client/recordedExplanation";
import type { RecordedResult } from "../src/client/recording";
import { attendedRows, attentionOfSteps, sinkRows } from "../src/store/attention/attention";
import { stepsOfWords } from "../src/store/attention/words";
import { expectAccessibleInBothThemes, expectNoSidewaysScroll, paintedShare } from "./pageChecks";
import { ask, openScripted, recordedResult, recording, untilStored } from "./scripted";
import { test } from "./test";

const QUESTION = "List the items.";
const FULL = recordedResult(QUESTION, "full");
const AIRCACHE = recordedResult(QUESTION, "aircache");
const FULL_WORDS = FULL.answer.split(" ");
const WORDS = AIRCACHE.answer.split(" ");
/** The first word that AirCache changed. The word before it is in both answers. */
const CHANGED = WORDS.findIndex((text, index) => text !== FULL_WORDS[index]);
/** `layer=5` of the address. */
const LAYER = 4;
/** Position of the row of the image's first patch, and patches in a line. */
const FIRST = AIRCACHE.images[0]!.tiles[0]!.firstPosition;
const LINE = 24;

/** Positions of the rows that a word attended to in the layer, strongest first, without sinks. */
async function attendedBy(
  { answer, explanation, layers }: RecordedResult,
  place: number,
  from = 0,
): Promise<readonly number[]> {
  const attention = (await decoded(explanation!)).attention!;
  const steps = stepsOfWords(answer, attention.ends);
  const later = steps[place]!.filter((step) => step >= from);
  const sinks = sinkRows(attention, steps, layers, LAYER);
  return attendedRows(attentionOfSteps(attention, later, LAYER), sinks);
}

/** Line and column of a patch, from 0. */
const placeOf = (position: number) =>
  [Math.floor((position - FIRST) / LINE), (position - FIRST) % LINE] as const;

const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
const word = (page: Page, answer: number, place: number) =>
  answers(page).nth(answer).locator("[data-word]").nth(place);
const viewer = (page: Page) => page.getByRole("region", { name: "Viewer" });
const caption = (page: Page) => viewer(page).getByRole("heading", { level: 2 });
const reader = (page: Page) => page.getByLabel(/Patches of the image/);

/** The full cache's answer, and AirCache's at a tenth, which gets words wrong. */
async function askTwice(page: Page, query = ""): Promise<void> {
  await openScripted(page, { query: `policy=full&keep=10&layer=5&${query}` });
  await ask(page, QUESTION);
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  await page.getByRole("button", { name: "Ask again with…" }).click();
  await page.getByRole("menuitem", { name: "AirCache 10 %" }).click();
  await expect(answers(page).nth(1)).toHaveAttribute("data-phase", "done");
}

/** The overlay as it is drawn. */
const overlay = (page: Page) =>
  page
    .locator("figure canvas")
    .first()
    .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

/** Whether the overlay has a colour at the middle of a patch's left edge. */
async function edgeColor(page: Page, row: number, column: number): Promise<readonly number[]> {
  return page
    .locator("figure canvas")
    .first()
    .evaluate(
      (canvas: HTMLCanvasElement, [line, place]) => {
        const x = Math.floor((place! * canvas.width) / 24);
        const y = Math.floor(((line! + 0.5) * canvas.height) / 24);
        return [...canvas.getContext("2d")!.getImageData(x, y, 1, 1).data];
      },
      [row, column] as const,
    );
}

test("heat shows what the policy ranked by, layer by layer, in words, and why there is none", async ({
  page,
}) => {
  await askTwice(page, "veil=heat");
  await expect(caption(page)).toHaveText(/^AirCache ranked highest in layer 5: line \d+, column/);
  await expect(viewer(page).getByText("low", { exact: false }).first()).toBeVisible();
  await expect.poll(() => paintedShare(page, 0)).toBeGreaterThan(0.5);
  const fifth = await overlay(page);
  await page.keyboard.press("]");
  await expect(caption(page)).toContainText("layer 6");
  await expect.poll(() => overlay(page)).not.toBe(fifth);
  await page.getByRole("radio", { name: "All layers" }).check();
  await expect(caption(page)).toContainText("all layers");
  await expect(page).toHaveURL(/veil=heat/);
  // A policy without scores draws none.
  await answers(page).first().locator("..").getByRole("button", { name: "Show patches" }).click();
  await expect(caption(page)).toHaveText("Full cache ranks patches by no score");
  await expect.poll(() => paintedShare(page, 0)).toBe(0);
});

test("a word lights the patches that it looked at, the overlay comes back, and the transcript stays as it is", async ({
  page,
}) => {
  await askTwice(page);
  await expect(caption(page)).toHaveText(/^Layer 5 kept/);
  await expect.poll(() => paintedShare(page, 120)).toBeGreaterThan(0.5); // the second answer's rows
  const kept = await overlay(page);
  await word(page, 1, CHANGED).hover();
  await expect(caption(page)).toContainText(
    `Attention, not proof: “${WORDS[CHANGED]}” in layer 5 attended most to`,
  );
  await expect.poll(() => overlay(page)).not.toBe(kept);
  const changed = await overlay(page);
  await word(page, 1, CHANGED - 1).hover();
  await expect(caption(page)).toContainText(`“${WORDS[CHANGED - 1]}”`);
  await expect.poll(() => overlay(page)).not.toBe(changed);
  await page.mouse.move(2, 2);
  await expect(caption(page)).toHaveText(/^Layer 5 kept/);
  await expect.poll(() => overlay(page)).toBe(kept);

  // The transcript is not drawn again meanwhile.
  await word(page, 1, 0).hover();
  await page.getByRole("region", { name: "Conversation" }).evaluate((log) => {
    const changes: string[] = [];
    Object.assign(window, { changes });
    new MutationObserver((all) => changes.push(...all.map(({ type }) => type))).observe(log, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
  });
  for (const place of [1, 2, 0]) await word(page, 1, place).hover();
  await expect(caption(page)).toContainText(`“${WORDS[0]}”`);
  expect(await page.evaluate(() => (window as unknown as { changes: string[] }).changes)).toEqual(
    [],
  );
});

test("what only the full cache could look at is outlined", async ({ page }) => {
  await askTwice(page);
  await word(page, 1, CHANGED).hover();
  await expect(viewer(page).getByText("dropped; attended by the full cache")).toBeVisible();
  // At the first step nothing was dropped yet.
  const attended = await attendedBy(FULL, CHANGED, 1);
  const missed = attended.filter((position) => !AIRCACHE.layers[LAYER]!.kept.includes(position));
  expect(missed).not.toEqual([]);
  // The outline is opaque, the shade is not.
  for (const position of missed) {
    await expect.poll(async () => (await edgeColor(page, ...placeOf(position)))[3]).toBe(255);
  }
  await word(page, 0, CHANGED).hover();
  await expect(caption(page)).toContainText(`“${FULL_WORDS[CHANGED]}”`);
  await expect(viewer(page).getByText("dropped; attended by the full cache")).toHaveCount(0);
});

test("words are one tab stop, and arrow keys move between them", async ({ page }) => {
  await askTwice(page);
  await expect(answers(page).nth(1).locator("[data-word][tabindex='0']")).toHaveCount(1);
  await word(page, 1, CHANGED - 1).focus();
  await expect(caption(page)).toContainText(`“${WORDS[CHANGED - 1]}”`);
  await page.keyboard.press("ArrowRight");
  await expect(word(page, 1, CHANGED)).toBeFocused();
  const spoken = viewer(page).locator("[aria-live]");
  await expect(spoken).toContainText(`“${WORDS[CHANGED]}” in layer 5`);
  await expect(spoken).toContainText(
    `Dropped here, but attended by the full cache’s “${FULL_WORDS[CHANGED]}”`,
  );
  await page.keyboard.press("End");
  const last = WORDS.length - 1;
  await expect(word(page, 1, last)).toBeFocused();
  await expect(caption(page)).toContainText(`“${WORDS[last]}”`);
  await page.keyboard.press("Tab");
  await expect(answers(page).nth(1).locator("[data-word]:focus")).toHaveCount(0);
  await expect(caption(page)).toHaveText(/^Layer 5 kept/);
  await page.keyboard.press("Shift+Tab");
  await expect(word(page, 1, last)).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("region", { name: "Conversation" })).toBeFocused();
  await expect(caption(page)).toHaveText(/^Layer 5 kept/);
});

for (const width of [1440, 900]) {
  test(`nothing moves while words are moved over at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 800 });
    await askTwice(page, "veil=heat");
    await page.mouse.move(2, 2);
    const boxes = () =>
      page.locator("h2, [role=radiogroup], article").evaluateAll((all) =>
        all.map((each) => {
          const { x, y, height } = each.getBoundingClientRect();
          return [x, y, height].map(Math.round).join();
        }),
      );
    await expect(caption(page)).toContainText("ranked highest");
    await page.evaluate(() => document.fonts.ready);
    const before = await boxes();
    await word(page, 1, CHANGED).hover();
    await expect(caption(page)).toContainText(`“${WORDS[CHANGED]}”`);
    await expect.poll(boxes).toEqual(before);
  });
}

test("a patch is read with its score, pinned, and underlines the words that attended to it", async ({
  page,
}) => {
  await askTwice(page);
  await reader(page).focus();
  const [strongest] = await attendedBy(AIRCACHE, CHANGED);
  const [line, column] = placeOf(strongest!);
  await page.keyboard.press("ArrowRight");
  for (let step = 0; step < line; step++) await page.keyboard.press("ArrowDown");
  for (let step = 0; step < column; step++) await page.keyboard.press("ArrowRight");
  // Rows are counted from 1.
  const readout = new RegExp(
    `^Row ${strongest! + 1} · kept by .* · score [\\d.e-]+, \\d+(st|nd|rd|th) of 576`,
  );
  await expect(page.getByText(readout)).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(word(page, 1, CHANGED)).toHaveAttribute("data-attending", "true");
  await expect(page.getByRole("button", { name: "Hide this patch and ask again" })).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Hide 2 patches and ask again" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: /^Hide/ })).toHaveCount(0);
});

test("the outline of a patch stands out from any image, light and dark", async ({ page }) => {
  await askTwice(page);
  /** Opaque colours of the canvas that has the outlines. */
  const inks = () =>
    reader(page)
      .locator("canvas")
      .evaluate((canvas: HTMLCanvasElement) => {
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
        const found = new Set<string>();
        for (let at = 0; at < data.length; at += 4) {
          if (data[at + 3] === 255) found.add(data.slice(at, at + 3).join());
        }
        return [...found].sort();
      });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await reader(page).focus();
    await page.keyboard.press("ArrowRight");
    // A dark line in a light halo.
    await expect.poll(inks, colorScheme).toEqual(["11,122,111", "255,255,255"]);
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowRight");
    await expect.poll(inks, colorScheme).toContain("26,28,31");
    await page.keyboard.press("Escape");
  }
});

/** The recording with one row that every step of the full cache attends to. */
function withSink(row: number) {
  const script = recording();
  const answers = script.answers.map((answer) => {
    const attention = answer.result?.explanation?.attention;
    if (!answer.result || !attention || answer.policy !== "full") return answer;
    const cells = inflateSync(Buffer.from(attention.cells, "base64"));
    for (let at = row; at < cells.length; at += attention.positions.length) cells[at] = 220;
    const changed = { ...attention, cells: deflateSync(cells).toString("base64") };
    return { ...answer, result: { ...answer.result, explanation: { attention: changed } } };
  });
  return { ...script, answers };
}

test("a row that every word looks at is marked as a sink", async ({ page }) => {
  await openScripted(page, { script: withSink(0), query: "policy=full&layer=5" });
  await ask(page, QUESTION);
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  await expect(viewer(page).getByText("sink", { exact: true })).toBeVisible();
  // No row was dropped, so only the mark is drawn.
  const painted = async () => {
    const share = await paintedShare(page, 0);
    return share > 0 && share < 1 / 576;
  };
  await expect.poll(painted).toBe(true);
  await reader(page).hover({ position: { x: 4, y: 4 } });
  await expect(page.getByText(`Row ${FIRST + 1} · kept by every layer · sink`)).toBeVisible();
  await page.getByRole("radio", { name: "Off" }).check();
  await expect.poll(() => paintedShare(page, 0)).toBe(0);
});

test("a hidden patch is painted over in a copy of the image, and the answer stands aside", async ({
  page,
}) => {
  await askTwice(page);
  await reader(page).click({ position: { x: 5, y: 5 } });
  await page.getByRole("button", { name: "Hide this patch and ask again" }).click();
  await expect(answers(page)).toHaveCount(3);
  await expect(answers(page).nth(2)).toHaveAttribute("data-phase", "done");
  const facts = answers(page).nth(2).locator("..");
  await expect(facts.getByText(`without row ${FIRST + 1}`, { exact: true })).toBeVisible();
  await expect(facts.getByText("same answer as the whole image’s")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Hide this/ })).toHaveCount(0);
  // Crossed out in the viewer, and still there after a reload.
  await expect.poll(async () => (await edgeColor(page, 0, 0))[3]).toBe(255);
  await untilStored(page);
  await page.reload();
  await expect(page.getByText(`without row ${FIRST + 1}`, { exact: true })).toBeVisible();
});

test("what is asked about is a copy with the patch painted over in one colour", async ({
  page,
}) => {
  const script = recording();
  await page.addInitScript(() => {
    const sizes: string[] = [];
    Object.assign(window, { painted: sizes });
    const convert = OffscreenCanvas.prototype.convertToBlob;
    OffscreenCanvas.prototype.convertToBlob = function (options) {
      const { data } = (this.getContext("2d") as OffscreenCanvasRenderingContext2D).getImageData(
        0,
        0,
        this.width,
        this.height,
      );
      const at = (x: number, y: number) =>
        data.slice(4 * (y * this.width + x), 4 * (y * this.width + x) + 3).join();
      sizes.push(
        `${this.width}x${this.height}`,
        `${new Set([at(65, 49), at(72, 56), at(79, 63)]).size}`,
      );
      return convert.call(this, options);
    };
  });
  await openScripted(page, { script, query: "policy=full" });
  await ask(page, QUESTION);
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  const box = (await reader(page).boundingBox())!;
  // Line 4, column 5: part of the date, with many colours before it is hidden.
  await reader(page).click({
    position: { x: (4.5 * box.width) / 24, y: (3.5 * box.height) / 24 },
  });
  await page.getByRole("button", { name: "Hide this patch and ask again" }).click();
  await expect(answers(page).nth(1)).toHaveAttribute("data-phase", "done");
  expect(await page.evaluate(() => (window as unknown as { painted: string[] }).painted)).toEqual([
    "384x384",
    "1",
  ]);
});

for (const [width, height] of [
  [1440, 900],
  [390, 844],
  [320, 640],
] as const) {
  test(`words and pins are clean at ${width} px, light and dark`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await openScripted(page, { query: "policy=aircache&keep=10&layer=5&veil=heat" });
    await ask(page, QUESTION);
    await expect(answers(page)).toHaveAttribute("data-phase", "done");
    await reader(page).click({ position: { x: 30, y: 30 } });
    await expect(page.getByRole("button", { name: "Unpin" })).toBeVisible();
    await expectAccessibleInBothThemes(page);
    await word(page, 0, CHANGED).click();
    await expect(caption(page)).toContainText(`“${WORDS[CHANGED]}”`);
    await expect(page.locator("figure")).toBeInViewport();
    await expectAccessibleInBothThemes(page);
    await expectNoSidewaysScroll(page);
  });
}
