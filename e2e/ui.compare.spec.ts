import { expect, type Page } from "@playwright/test";
import type { RecordedAnswer, Recording } from "../src/client/recording";
import { expectAccessibleInBothThemes, expectNoSidewaysScroll } from "./pageChecks";
import { openScripted, recording, saying, untilStored } from "./scripted";
import { test } from "./test";

const QUESTION = "List the items.";
const ITEMS = "Muffin, Pen, Beer, Rice, Banana, Onion, Sugar";
const composer = (page: Page) => page.getByRole("textbox", { name: "Question" });
const toggle = (page: Page) => page.locator("form").getByRole("button", { name: "Compare" });
const lane = (page: Page, name: string) => page.getByRole("region", { name });

/** Three lanes with the test's texts, and recorded rows and bytes. */
function lanes(streaming: Partial<RecordedAnswer> = {}): Recording {
  const { load, answers } = recording();
  const of = (policy: string, retention: number, answer: string): RecordedAnswer => {
    const rows = answers.find((each) => each.retention === retention)!.result!;
    const spoken = saying(answer).answers[0]!;
    const compacted = { type: "compacted", layers: rows.layers, images: rows.images } as const;
    const events = spoken.events.map((each) =>
      each.event.type === "compacted" ? { at: each.at, event: compacted } : each,
    );
    const result = { ...rows, answer };
    return { ...spoken, question: QUESTION, policy, retention, events, result };
  };
  const { result, ...third } = of("streaming", 0.1, "Muffin, Bread, Milk, Tea");
  return {
    load,
    answers: [
      of("full", 1, ITEMS),
      of("aircache", 0.1, ITEMS),
      streaming.failure ? { ...third, ...streaming } : { ...third, result: result!, ...streaming },
    ],
  };
}

const open = (page: Page, script: Recording, pace = 0.02) =>
  openScripted(page, { script, pace, query: "policy=aircache&keep=10" });

async function settled(page: Page, count: number): Promise<void> {
  const ended = page.locator("article[data-phase=done], article[data-phase=failed]");
  await expect(ended).toHaveCount(count);
}

test("one question in three lanes, by keyboard alone", async ({ page }) => {
  await open(page, lanes());
  await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
  await page.keyboard.press("c");
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type(QUESTION);
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Policy of lane 1")).toBeFocused();
  await expect(page.getByLabel("Policy of lane 1")).toHaveValue("full");
  await expect(page.getByLabel("Policy of lane 2")).toHaveValue("aircache");
  await expect(page.getByLabel("Policy of lane 3")).toHaveValue("streaming");
  await composer(page).press("Enter");
  await settled(page, 3);
  await expect(lane(page, "Full cache")).toContainText("reference");
  await expect(lane(page, "AirCache 10 %")).toContainText("same answer");
  const third = lane(page, "StreamingLLM 10 %");
  await expect(third).toContainText("1 of 7 words agree");
  await expect(third.locator("mark")).toHaveText("differs: Bread, Milk, Tea");
  await expect(page.locator("mark")).toHaveCount(1);
  await expect(third).toContainText(/0\.\d\d\sMB/);
  await expect(page.getByText("The conversation continues from Full cache.")).toBeVisible();
  await expect(page.getByLabel("Policy of lane 1")).toHaveCount(0);
});

test("lanes are added, changed and removed, and stay when they are pinned", async ({ page }) => {
  await open(page, lanes());
  await toggle(page).click();
  await expect(toggle(page)).toHaveAttribute("aria-pressed", "true");
  await page.getByRole("button", { name: "+ Lane" }).click();
  await expect(page.getByRole("button", { name: "+ Lane" })).toBeDisabled();
  await page.getByRole("button", { name: "Remove lane 4" }).click();
  await expect(page.getByRole("button", { name: "+ Lane" })).toBeFocused();
  await page.getByRole("button", { name: "Remove lane 2" }).click();
  await expect(page.getByRole("button", { name: "Remove lane 1" })).toBeDisabled();
  await page.getByLabel("Keep percent of lane 2").fill("5");
  await page.getByRole("checkbox", { name: "Pin lane 1" }).check();
  await page.getByRole("checkbox", { name: "Pin lane 2" }).check();
  await expect(page.getByText("These lanes stay")).toBeVisible();
  await composer(page).fill(QUESTION);
  await composer(page).press("Enter");
  await settled(page, 2);
  await expect(lane(page, "StreamingLLM 5 %")).toBeVisible();
  await composer(page).fill("And now?");
  await composer(page).press("Enter");
  await settled(page, 4);
});

test("the viewer shows the lane that is chosen", async ({ page }) => {
  await open(page, lanes());
  await toggle(page).click();
  await composer(page).fill(QUESTION);
  await composer(page).press("Enter");
  await settled(page, 3);
  const patches = (name: string) => lane(page, name).getByRole("button", { name: "Show patches" });
  await expect(patches("AirCache 10 %")).toHaveAttribute("aria-pressed", "true");
  const kept = page.getByRole("heading", { name: /of 576 patches/ });
  await expect(kept).not.toContainText("576 of 576");
  await patches("Full cache").click();
  await expect(kept).toContainText("576 of 576");
});

test("a lane that does not fit says so while the others go on", async ({ page }) => {
  const message = "This lane does not fit together with the others: 3.10 MB of 3 MB.";
  await open(page, lanes({ failure: { code: "capTooSmall", message, action: "keepLess" } }));
  await toggle(page).click();
  await composer(page).fill(QUESTION);
  await composer(page).press("Enter");
  await settled(page, 3);
  await expect(lane(page, "StreamingLLM 10 %").getByRole("alert")).toContainText(message);
  await expect(lane(page, "AirCache 10 %")).toContainText("same answer");
});

test("an answer that may be wrong is named below the lanes", async ({ page }) => {
  const script = lanes();
  const answers = script.answers.map((each) => {
    const logProbabilities = [each.policy === "streaming" ? -1 : 0];
    return each.result ? { ...each, result: { ...each.result, logProbabilities } } : each;
  });
  await open(page, { ...script, answers });
  await toggle(page).click();
  await composer(page).fill(QUESTION);
  await composer(page).press("Enter");
  await settled(page, 3);
  const doubt = page.getByText("This answer may be wrong");
  await expect(doubt).toHaveText(/^StreamingLLM 10\s% This answer may be wrong/);
});

test("an answer is compared after it was given, and the lanes outlive a reload", async ({
  page,
}) => {
  await open(page, lanes());
  await composer(page).fill(QUESTION);
  await composer(page).press("Enter");
  await settled(page, 1);
  await page
    .getByRole("group", { name: QUESTION })
    .getByRole("button", { name: "Compare" })
    .click();
  await settled(page, 4);
  await untilStored(page);
  await page.reload();
  await settled(page, 4);
  await expect(lane(page, "StreamingLLM 10 %")).toContainText("1 of 7 words agree");
});

for (const width of [1440, 390, 320]) {
  test(`compare is clean at ${width} px, light and dark`, async ({ page }) => {
    await page.setViewportSize({ width, height: 844 });
    await open(page, lanes());
    await toggle(page).click();
    await expect(page.getByRole("button", { name: "Ask", exact: true })).toBeInViewport();
    await expectAccessibleInBothThemes(page);
    await composer(page).fill(QUESTION);
    await composer(page).press("Enter");
    await settled(page, 3);
    await expectAccessibleInBothThemes(page);
    await expectNoSidewaysScroll(page);
    const boxes = await page
      .locator("article")
      .evaluateAll((all) => all.map((each) => Math.round(each.getBoundingClientRect().left)));
    expect(new Set(boxes).size).toBe(width > 720 ? 3 : 1);
  });
}
