import { expect, type Locator, type Page } from "@playwright/test";
import { paintedShare } from "./pageChecks";
import {
  ask,
  openScripted,
  openSettings,
  recording,
  saying,
  showTime,
  untilStored,
} from "./scripted";
import { test } from "./test";

const answers = (page: Page) => page.getByLabel("Answer", { exact: true });

test("a first visit shows a sample and its questions, and one click answers", async ({ page }) => {
  await openScripted(page);
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  await page.getByRole("button", { name: "What is the total?" }).click();
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  await expect(page.getByText("of 576 patches")).toBeVisible();
  await expect(page.getByText(/first token/)).toBeHidden();
  await page.getByText("Details").click();
  await expect(page.getByText(/first token/)).toBeVisible();
  await expect(page.getByText(/rows cached/)).toBeVisible();
});

test("typing is taken while the model loads, and sent when it is ready", async ({ page }) => {
  let start = () => {};
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  await openScripted(page, { start: started });
  await page.getByLabel("Question").fill("What is the total?");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/waits for the model/)).toBeVisible();
  await expect(page.getByRole("progressbar", { name: "Model loaded" })).toHaveCount(1);
  start();
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
});

test("the meter, the chart's table and the facts tell the same bytes", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, "What is the total?");
  const { result } = recording().answers.find(({ policy }) => policy === "aircache")!;
  const meter = page.getByRole("meter", { name: "KV cache size" });
  expect(await meter.evaluate((each: HTMLMeterElement) => [each.value, each.max])).toEqual([
    result!.kvBytes.end,
    result!.kvBytes.full,
  ]);
  await page.getByRole("button", { name: "Show data: KV cache over time" }).click();
  const table = page.getByRole("table", { name: "KV cache over time" });
  await expect(table.locator("tbody tr")).not.toHaveCount(0);
  const kv = await table.locator("tbody tr td:nth-child(2)").allTextContents();
  expect(Math.max(...kv.map(Number))).toBe(result!.kvBytes.before);
  expect(Number(kv.at(-1))).toBe(result!.kvBytes.end);
});

test("layers are chosen by pointer, by arrow keys and by brackets", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await page.getByRole("radio", { name: /^Layer 5/ }).check();
  await expect(page.getByRole("heading", { name: /^Layer 5 kept/ })).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("heading", { name: /^Layer 6 kept/ })).toBeVisible();
  await page.keyboard.press("[");
  await page.keyboard.press("[");
  await expect(page.getByRole("heading", { name: /^Layer 4 kept/ })).toBeVisible();
  await page.getByRole("radio", { name: "All layers" }).check();
  await expect(page.getByRole("heading", { name: /on average/ })).toBeVisible();
});

test("the overlay covers what the chosen layer dropped, and nothing when it is off", async ({
  page,
}) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, "What is the total?");
  // A dropped patch is half covered; outlines of kept patches lie on dropped ones.
  const covered = () => paintedShare(page, 120);
  const { result } = recording().answers.find(({ policy }) => policy === "aircache")!;
  const patches = (layer: number) =>
    result!.layers[layer]!.kept.filter((position) => {
      const first = result!.images[0]!.tiles[0]!.firstPosition;
      return position >= first && position < first + 576;
    }).length;
  for (const layer of [0, 7]) {
    await page.getByRole("radio", { name: new RegExp(`^Layer ${layer + 1}:`) }).check();
    await expect.poll(covered).toBeCloseTo(1 - patches(layer) / 576, 2);
  }
  await page.getByRole("radio", { name: "Off" }).check();
  await expect.poll(covered).toBe(0);
});

test("a patch tells its row and its layers, to the pointer and to the keyboard", async ({
  page,
}) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  const reader = page.getByLabel(/Patches of the image/);
  await reader.hover({ position: { x: 4, y: 4 } });
  await expect(page.getByText(/^Row \d+ · (kept|dropped) by/)).toBeVisible();
  const first = await page.getByText(/^Row \d+ ·/).textContent();
  await page.mouse.move(0, 0);
  await reader.focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByText(first!)).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByText(first!)).toBeHidden();
});

test("stopping keeps what was said", async ({ page }) => {
  // An answer of half a minute: the key comes before its end.
  const whole = Array.from({ length: 1000 }, (_, index) => `item ${index + 1}`).join(", ");
  await openScripted(page, { pace: 0.2, query: "policy=full", script: saying(whole) });
  await page.getByLabel("Question").fill("List the items.");
  await page.keyboard.press("Enter");
  await expect(answers(page)).not.toBeEmpty();
  await expect(answers(page)).toContainText(/\w{3}/);
  await page.keyboard.press("Escape");
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  await expect(page.getByText("stopped", { exact: true })).toBeVisible();
  const said = await answers(page).textContent();
  expect(whole.startsWith(said!)).toBe(true);
  expect(said!.length).toBeLessThan(whole.length);
});

test("a question is asked again under other policies, beside the first answer", async ({
  page,
}) => {
  await openScripted(page, { query: "policy=full&keep=10" });
  for (const [question, policy, verdict] of [
    ["What is the date?", "PrefixKV 10 %", "same answer as the full cache"],
    ["What is the total?", "AirCache 10 %", "differs from the full cache"],
  ] as const) {
    await ask(page, question);
    await page.getByRole("button", { name: "Ask again with…" }).last().click();
    await page.getByRole("menuitem", { name: policy }).click();
    await expect(page.getByText(verdict)).toBeVisible();
  }
  await expect(answers(page)).toHaveCount(4);
  const chart = page.getByRole("img", { name: /^Time per token: median .*, with the full cache/ });
  await showTime(page);
  await expect(chart).toBeVisible();
  const first = page.getByRole("button", { name: "Show patches" }).first();
  await first.click();
  await expect(first).toHaveAttribute("aria-pressed", "true");
  await expect(
    page.getByRole("heading", { name: "8 layers kept 576 of 576 patches on average" }),
  ).toBeVisible();
});

test("a changed setting acts on the next question, loads nothing and stands in the address", async ({
  page,
}) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await page.getByLabel("Policy", { exact: true }).selectOption("H2O");
  await page.getByLabel("Keep percent").fill("20");
  await openSettings(page);
  await page.getByRole("radio", { name: "Whole prompt" }).check();
  await expect(page.getByText("next: H2O 20 %").last()).toBeVisible();
  await expect(page.getByRole("progressbar")).toHaveCount(0);
  await expect(page).toHaveURL(/policy=h2o&keep=20&scope=prompt/);
  await page.reload();
  await expect(page.getByLabel("Policy", { exact: true })).toHaveValue("h2o");
  await expect(page.getByLabel("Keep percent")).toHaveValue("20");
  await openSettings(page);
  await expect(page.getByRole("radio", { name: "Whole prompt" })).toBeChecked();
});

test("the image shows what the next settings would keep, before anything is asked", async ({
  page,
}) => {
  await openScripted(page, { query: "policy=aircache&keep=10" });
  await ask(page, "What is the total?");
  await expect(page.getByRole("heading", { name: /layers kept/ })).toBeVisible();
  await page.getByLabel("Policy", { exact: true }).selectOption("PrefixKV");
  await expect(page.getByRole("heading", { name: /layers would keep/ })).toBeVisible();
  await page.getByLabel("Policy", { exact: true }).selectOption("AirCache");
  await expect(page.getByRole("heading", { name: /layers kept/ })).toBeVisible();
  await page.getByLabel("Policy", { exact: true }).selectOption("TOVA");
  await expect(page.getByText("next: TOVA 10 %").last()).toBeVisible();
  await expect(page.getByRole("heading", { name: /layers kept/ })).toBeVisible();
});

test("the keep slider goes by keys, and says percent", async ({ page }) => {
  await openScripted(page, { query: "keep=10" });
  const slider = page.getByRole("slider", { name: "Keep" });
  await expect(slider).toHaveAttribute("aria-valuetext", "keep 10 %");
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await expect(slider).toHaveAttribute("aria-valuetext", "keep 9 %");
  await page.keyboard.press("Home");
  await expect(slider).toHaveAttribute("aria-valuetext", "keep 100 %");
  await page.keyboard.press("End");
  await expect(page.getByLabel("Keep percent")).toHaveValue("1");
});

test("options come from the policy, and their values travel in the address", async ({ page }) => {
  await openScripted(page, { query: "policy=aircache" });
  await openSettings(page);
  const option = page.getByLabel("α", { exact: true });
  await option.fill("0.5");
  await expect(page).toHaveURL(/o\.alpha=0\.5/);
  await option.fill("2");
  await expect(option).toHaveAccessibleDescription("A number from 0 to 1.");
  await expect(page).toHaveURL(/o\.alpha=0\.5/);
  await page.getByRole("button", { name: "Back to the defaults" }).last().click();
  await expect(page).not.toHaveURL(/o\./);
  await expect(option).toHaveValue("0.9");
});

test("another image begins another conversation and says so", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await page.getByLabel("Question").fill("half a thought");
  await page
    .getByRole("button", { name: /^Chart/ })
    .first()
    .click();
  await expect(page.getByText(/^New conversation\./)).toBeVisible();
  await expect(answers(page)).toHaveCount(0);
  await expect(page.getByLabel("Question")).toHaveValue("half a thought");
});

test("images are dropped and pasted anywhere", async ({ page }) => {
  await openScripted(page);
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  const give = (type: "drop" | "paste", name: string) =>
    page.evaluate(
      async ([kind, file]) => {
        const blob = await (await fetch("samples/card.png")).blob();
        const data = new DataTransfer();
        data.items.add(new File([blob], file!, { type: "image/png" }));
        const init = { bubbles: true, cancelable: true };
        document.body.dispatchEvent(
          kind === "drop"
            ? new DragEvent("drop", { ...init, dataTransfer: data })
            : new ClipboardEvent("paste", { ...init, clipboardData: data }),
        );
      },
      [type, name],
    );
  await give("drop", "dropped.png");
  await expect(page.getByAltText("Your image: dropped.png")).toBeVisible();
  await give("paste", "pasted.png");
  await expect(page.getByAltText("Your image: pasted.png")).toBeVisible();
});

/** What a screen reader reads out of the answers. */
function announced(page: Page): Locator {
  return page.getByRole("region", { name: "Conversation" }).locator("[aria-live=polite].unseen");
}

/** Notes from here on what is announced. @returns reads the notes */
async function listened(page: Page): Promise<() => Promise<readonly string[]>> {
  await announced(page).evaluate((region) => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => said.push(region.textContent ?? "")).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  return () => page.evaluate(() => (window as unknown as { said: string[] }).said);
}

test("an answer is announced by the sentence", async ({ page }) => {
  const sentences = ["It is a receipt.", "The total is $94.09.", "There are seven items"];
  await openScripted(page, { pace: 0.2, script: saying(sentences.join(" ")) });
  const said = await listened(page);
  await ask(page, "List the items.");
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  await expect.poll(said).toEqual(sentences);
});

test("the same answer is announced again; one of an earlier visit is not", async ({ page }) => {
  await openScripted(page, { pace: 0.2, script: saying("$94.09") });
  const said = await listened(page);
  await ask(page, "What is the total?");
  await expect.poll(said).toEqual(["$94.09"]);
  await ask(page, "What is the total?");
  await expect.poll(said).toEqual(["$94.09", "", "$94.09"]);
  await untilStored(page);
  await page.reload();
  await expect(answers(page).last()).toHaveAttribute("data-phase", "done");
  await expect(announced(page)).toBeEmpty();
});

test("everything is done with the keyboard alone", async ({ page }) => {
  await openScripted(page);
  await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
  await page.keyboard.press("/");
  await expect(page.getByLabel("Question")).toBeFocused();
  await page.keyboard.type("What is the total?");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("In one word.");
  await expect(page.getByLabel("Question")).toHaveValue("What is the total?\nIn one word.");
  await page.keyboard.press("Enter");
  await expect(answers(page)).toHaveAttribute("data-phase", "done");
  await page.getByLabel("Question").blur();
  await page.keyboard.press("]");
  await expect(page.getByRole("heading", { name: /^Layer 1 kept/ })).toBeVisible();
  await page.getByRole("button", { name: "Ask again with…" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(answers(page)).toHaveCount(2);
});

test("a theme that was picked stays, and the system's is followed until then", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await openScripted(page);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await expect.poll(paper).toBe("rgb(14, 16, 18)");
  await page.getByRole("button", { name: /^Theme: System/ }).click();
  await expect.poll(paper).toBe("rgb(245, 244, 241)");
  await page.reload();
  await expect(page.getByRole("button", { name: /^Theme: Light/ })).toBeVisible();
  await expect.poll(paper).toBe("rgb(245, 244, 241)");
});
