import fs from "node:fs";
import { expect, type Page, type Worker } from "@playwright/test";
import { untilStored } from "./scripted";
import { test } from "./test";

/**
 * The built page with the real engine and a tiny random model. Its answers are random; the tests
 * check what survives a failure.
 */

// A service worker's answers do not pass the route below.
test.use({ serviceWorkers: "block" });

type Fate = "worker" | "device";

/**
 * Runs first in every engine worker: ends the worker or its device at a submission that the test
 * chooses. Submissions count from the next question on: those before it may still store a cache.
 */
function trap(): void {
  const state = self as unknown as {
    device?: GPUDevice;
    armed?: { fate: Fate; submits: number; isAsked?: boolean };
  };
  addEventListener("message", ({ data }) => {
    if (state.armed && data.call === "ask") state.armed.isAsked = true;
  });
  const { requestDevice } = GPUAdapter.prototype;
  const { submit } = GPUQueue.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    state.device = await requestDevice.apply(this, args);
    return state.device;
  };
  GPUQueue.prototype.submit = function (commands) {
    if (state.armed?.isAsked && state.armed.submits-- === 0) {
      if (state.armed.fate === "device") state.device?.destroy();
      else self.close();
    }
    return submit.call(this, commands);
  };
}

async function setTrap(page: Page): Promise<void> {
  await page.route("**/assets/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `(${trap})();\n${await response.text()}` });
  });
}

/**
 * Prefill and taps take a few submissions and every token one, so this count is reached during the
 * answer.
 */
async function arm(page: Page, fate: Fate): Promise<void> {
  const worker = page.workers().at(-1);
  await worker?.evaluate((fate) => void Object.assign(self, { armed: { fate, submits: 4 } }), fate);
}

const answers = (page: Page) => page.getByRole("article", { name: "Answer" });
const questions = (page: Page) => page.locator("[role=group]", { has: answers(page) });

async function type(page: Page, question: string): Promise<void> {
  const before = await answers(page).count();
  await page.getByLabel("Question", { exact: true }).fill(question);
  await page.keyboard.press("Enter");
  await expect(answers(page)).toHaveCount(before + 1);
}

async function ask(page: Page, question: string): Promise<void> {
  await type(page, question);
  await expect(answers(page).last()).toHaveAttribute("data-phase", "done", { timeout: 60_000 });
}

async function addImage(page: Page, file: string): Promise<void> {
  const name = file.split("/").at(-1)!;
  const mimeType = name.endsWith(".jpg") ? "image/jpeg" : "image/png";
  const buffer = fs.readFileSync(file);
  await page.getByLabel("Images to add").first().setInputFiles({ name, mimeType, buffer });
  await expect(page.getByAltText(name).or(page.getByTitle(name)).first()).toBeAttached();
}

/** Asks, provokes the failure, and waits for the answer after recovery. */
async function askThrough(page: Page, fate: Fate, question: string): Promise<void> {
  await arm(page, fate);
  await type(page, question);
  await expect(answers(page).last()).toHaveAttribute("data-phase", "failed", { timeout: 60_000 });
  await page.getByRole("button", { name: "Load the model again" }).click();
  await expect(answers(page).last()).toHaveAttribute("data-phase", "done", { timeout: 60_000 });
}

/** Ends an idle worker or its device, and waits until the page has heard of it and loaded the model again. */
async function loadedAgain(page: Page, end: (worker: Worker) => Promise<unknown>): Promise<void> {
  await page
    .getByRole("banner")
    .locator("[data-phase=ready]")
    .evaluate((dot: HTMLElement) => {
      const again = new Promise<void>((done) => {
        new MutationObserver(() => dot.dataset.phase === "ready" && done()).observe(dot, {
          attributeFilter: ["data-phase"],
        });
      });
      Object.assign(window, { again });
    });
  await end(page.workers().at(-1)!);
  await page.evaluate(() => (window as unknown as { again: Promise<void> }).again);
}

test("twenty turns with three images survive a reload, a killed worker and a lost device", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const asked: string[] = [];
  const next = () => {
    asked.push(`Turn ${asked.length + 1}?`);
    return asked.at(-1)!;
  };
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await ask(page, next());
  };
  const transcript = async () => {
    const names = await questions(page).evaluateAll((groups) =>
      groups.map((group) => group.getAttribute("aria-label")),
    );
    return { names, answers: await answers(page).allTextContents() };
  };
  const isComplete = async () => {
    expect((await transcript()).names).toEqual(asked);
    for (const answer of await answers(page).all()) {
      await expect(answer).toHaveAttribute("data-phase", "done");
    }
  };

  await setTrap(page);
  await page.goto("./?model=tiny-smolvlm&policy=prefixkv&keep=10&max-new-tokens=4&reference=off");
  await turns(5);
  await addImage(page, "fixtures/vision/picture.png");
  await turns(2);

  const before = await transcript();
  await untilStored(page);
  await page.reload();
  await expect(answers(page)).toHaveCount(7);
  expect(await transcript()).toEqual(before);
  await isComplete();
  await turns(3);

  await addImage(page, "fixtures/images/rotated-exif6.jpg");
  await askThrough(page, "worker", next());
  await isComplete();
  await turns(3);

  await askThrough(page, "device", next());
  await isComplete();
  await turns(3);

  // Also between two questions: only the lock reports the end of an idle worker.
  await loadedAgain(page, (worker) => worker.evaluate(() => self.close()));
  await turns(1);
  await loadedAgain(page, (worker) =>
    worker.evaluate(() => (self as never as { device: GPUDevice }).device.destroy()),
  );
  await turns(1);

  const whole = await transcript();
  await untilStored(page);
  await page.reload();
  await expect(answers(page)).toHaveCount(20);
  expect(await transcript()).toEqual(whole);
  await isComplete();
  await expect(page.getByRole("list", { name: "Images asked about" })).toHaveCount(3);
});

/** Names of the caches that are stored whole. */
function storedCaches(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("caches", { create: true });
    const names: string[] = [];
    for await (const [name, handle] of folder.entries()) {
      const file = (handle as FileSystemFileHandle).getFile();
      const size = await file.then((each) => each.size).catch(() => 0); // it may be gone
      if (size > 0 && !name.endsWith(".crswap")) names.push(name);
    }
    return names;
  });
}

test("a reload goes on from the stored cache, which is deleted with its conversation", async ({
  page,
}) => {
  await page.goto("./?model=tiny-smolvlm&policy=prefixkv&keep=10&max-new-tokens=4");
  await ask(page, "Turn 1?");
  await expect.poll(() => storedCaches(page)).toHaveLength(1);
  const [first] = await storedCaches(page);
  await untilStored(page);
  await page.reload();
  await expect(answers(page)).toHaveCount(1);
  await ask(page, "Turn 2?");
  await expect(page.getByText(/rows appended/)).toBeAttached();
  const newer = async () => (await storedCaches(page)).filter((name) => name !== first);
  await expect.poll(newer).toHaveLength(1);
  await untilStored(page);

  // A question in place of the last one goes on from the turn before it.
  await page.reload();
  await expect(answers(page)).toHaveCount(2);
  await page.getByRole("button", { name: "Edit question" }).last().click();
  await page.getByRole("textbox", { name: "Edited question" }).fill("Turn two, but other words?");
  await page.keyboard.press("Enter");
  await expect(questions(page).last()).toHaveAccessibleName("Turn two, but other words?");
  await expect(answers(page).last()).toHaveAttribute("data-phase", "done", { timeout: 60_000 });
  await expect(page.getByText(/rows appended/)).toBeAttached();

  await page.getByRole("button", { name: "History" }).click();
  await expect(page.getByText(/^\d caches? stored/)).toBeVisible();
  const deletions = page.getByRole("button", { name: /^Delete Turn 1/ });
  for (let left = await deletions.count(); left > 0; left--) {
    await deletions.first().click();
    await expect(deletions).toHaveCount(left - 1);
  }
  await expect.poll(() => storedCaches(page)).toEqual([]);
});

test("another conversation about the same image needs no prefill of it, if its cache is full", async ({
  page,
}) => {
  await page.goto("./?model=tiny-smolvlm&policy=full&max-new-tokens=4");
  await ask(page, "What is the total?");
  const prefilled = page.getByText(/rows prefilled/);
  await expect(prefilled).toBeAttached();
  await expect.poll(() => storedCaches(page)).toHaveLength(1);
  await untilStored(page);
  await page.reload();
  await page.getByRole("button", { name: "History" }).click();
  await page.getByRole("button", { name: "New conversation" }).click();
  await expect(answers(page)).toHaveCount(0);
  await ask(page, "What is the date?");
  await expect(page.getByText(/\b\d\d rows appended/)).toBeAttached();
  await expect(prefilled).toHaveCount(0);
});
