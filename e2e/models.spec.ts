import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { startHubDouble } from "./hubDouble";
import { expectAccessible, expectNoOverflow } from "./pageChecks";
import { test } from "./test";

const ID = "some-body/tiny-smolvlm";

test("a model of the Hub is looked up, downloaded, used, kept without a network, and deleted", async ({
  page,
  baseURL,
}) => {
  test.setTimeout(400_000); // ten loads take a minute on two idle cores
  const hub = await startHubDouble(page, baseURL!, ID, "fixtures/families/smolvlm");
  const models = page.getByRole("dialog", { name: "Models" });
  const chip = page
    .getByRole("banner")
    .getByRole("button", { name: /keepsight-mini|smolvlm|llama|storage/ });
  const open = async () => {
    await chip.click();
    await page.getByRole("button", { name: "Use another model …" }).click();
    await expect(models).toBeVisible();
  };
  await page.goto(hub.pageUrl);
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 120_000 });
  await open();
  const suggested = models.getByRole("list", { name: "Models of these families" });
  const smallest = suggested.getByRole("listitem").first();
  await expect(smallest).toContainText("SmolVLM-256M-Instruct");
  await expect(smallest).toContainText(
    /512\.97.MB · Context: 8192 tokens.*832 tokens at 1024 × 768.* as in the file, at most 16 bits · 363\.06.MB in 8 bits.*23\.04.MB in 16 bits · 12\.24.MB in 8 bits/,
  );
  await models.getByText(/\d+ larger ones/).click();
  await expect(models.getByText(/too slow here: about/).first()).toBeVisible();
  expect(hub.requests, "the table asks the Hub nothing").toEqual([]);
  await expectAccessible(page);
  await models.getByLabel("Weights in GPU memory").selectOption("q8");
  await expect(chip).toContainText("q8", { timeout: 120_000 });
  const cacheType = models.getByLabel("KV cache in GPU memory");
  for (const [type, address] of [
    ["q4", /[?&]kv=q4/],
    ["auto", /^(?!.*kv=)/],
  ] as const) {
    await cacheType.selectOption(type);
    await expect(page).toHaveURL(address);
    await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 120_000 });
  }

  await models.getByLabel("Model", { exact: true }).fill("some-body/missing");
  await models.getByRole("button", { name: "Look up", exact: true }).click();
  await expect(models.getByRole("alert")).toContainText("The Hub has no model some-body/missing.");

  await models.getByLabel("Model", { exact: true }).fill(ID);
  hub.behave({ isPrivate: true });
  await models.getByRole("button", { name: "Look up", exact: true }).click();
  await expect(models.getByRole("alert")).toContainText("If it is private, enter a token.");
  await models.getByText("Revision and access token").click();
  await models.getByLabel("Access token").fill("hf_secret");
  await models.getByRole("button", { name: "Look up", exact: true }).click();
  await expect(models.getByRole("heading", { name: `${ID} can be used` })).toBeVisible();
  const written = () => JSON.stringify({ ...localStorage, ...sessionStorage, at: location.href });
  expect(await page.evaluate(written)).not.toContain("hf_secret");
  await models.getByLabel("Access token").fill("");
  hub.behave({});
  await models.getByRole("button", { name: "Look up", exact: true }).click();
  await expect(models.getByRole("heading", { name: `${ID} can be used` })).toBeVisible();
  await expect(models).toContainText("apache-2.0");
  await expect(models).toContainText(
    /B as in the file, at most 16 bits · [\d.]+\s[kMG]B in 8 bits · .*B in 4 bits/,
  );
  await expect(models).toContainText(/fits: [\d.]+\s[MG]B free/);
  await expect(models).toContainText(/\d+ tokens at 1024 × 768 pixels/);
  await expect(models).toContainText(/Weights above [\d.]+\s[MG]B in f16 are too slow here/);
  await expect(models).toContainText(/about [\d.]+\s(ms|s) for an answer about one image/);
  await expectNoOverflow(page);
  await expectAccessible(page);

  hub.behave({ isDamaged: true });
  const fetchIt = models.getByRole("button", { name: "Download and use" });
  await fetchIt.click();
  await expect(models.getByRole("alert")).toContainText("model.safetensors arrived damaged");
  hub.behave({ isGated: true });
  await fetchIt.click();
  await expect(models.getByRole("alert")).toContainText(`Accept the terms of ${ID}`);
  await expect(models.getByRole("link")).toHaveAttribute("href", `https://huggingface.co/${ID}`);
  hub.behave({ hasNoRanges: true, cutAt: 40_001 });
  await fetchIt.click();
  await expect(models.getByRole("alert")).toContainText(
    "The connection broke while model.safetensors was downloaded; what has arrived stays.",
  );
  await expect(models).toContainText("the download was stopped");

  hub.behave({ hasNoRanges: true });
  await fetchIt.click();
  await expect(models).toBeHidden({ timeout: 60_000 });
  await expect(chip).toContainText("tiny-smolvlm", { timeout: 60_000 });
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 120_000 });
  await expect(page).toHaveURL(/model=some-body%2Ftiny-smolvlm/);

  hub.behave({ isOffline: true });
  const before = hub.requests.length;
  // The first image comes while the model loads.
  await page.route("**/samples/*.png", async (route) => {
    await new Promise((arrive) => setTimeout(arrive, 1_000));
    await route.continue();
  });
  await page.reload();
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 120_000 });
  await expect(chip).toContainText("tiny-smolvlm");
  await expect(chip).toContainText("q8"); // chosen before
  await expect(page.getByText(/images before the next question add \d+ tokens/)).toBeAttached();
  await page.getByLabel("Question").fill("What is this?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(page.getByRole("article", { name: "Answer" }).last()).toHaveAttribute(
    "data-phase",
    "done",
    { timeout: 120_000 },
  );
  expect(hub.requests.length, "nothing was fetched again").toBe(before);

  // The conversation is read by another model, then its own is loaded again.
  await open();
  await models.getByRole("button", { name: "Use keepsight-mini" }).click();
  await expect(models).toBeHidden();
  await expect(chip).toContainText("keepsight-mini");
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 120_000 });
  await page.getByRole("button", { name: "History", exact: true }).click();
  await page
    .getByRole("button", { name: /What is this\?/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Load tiny-smolvlm again" }).click();
  await expect(chip).toContainText("tiny-smolvlm");
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole("button", { name: "Load tiny-smolvlm again" })).toBeHidden();
  await page.getByLabel("Question").fill("And now?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(page.getByRole("article", { name: "Answer" })).toHaveCount(2);
  await expect(page.getByRole("article", { name: "Answer" }).last()).toHaveAttribute(
    "data-phase",
    "done",
    { timeout: 120_000 },
  );
  expect(hub.requests.length, "it was kept").toBe(before);

  await open();
  await models.getByRole("button", { name: `Delete ${ID} from this browser` }).click();
  await expect(chip).toContainText("keepsight-mini", { timeout: 120_000 });
  const left = () =>
    page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
      const names: string[] = [];
      for await (const name of folder.keys()) names.push(name);
      return names;
    });
  await expect.poll(left).toEqual([]);

  await page.getByRole("button", { name: "History", exact: true }).click();
  await page
    .getByRole("button", { name: /What is this\?/ })
    .first()
    .click();
  const answers = page.getByRole("article", { name: "Answer" });
  await expect(answers).toHaveCount(2);
  const earlier = await answers.first().textContent();
  await expect(
    page.getByText("tiny-smolvlm gave earlier answers here. keepsight-mini reads them as text"),
  ).toBeVisible();
  await page.getByLabel("Question").fill("And what is the total?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(answers.last()).toHaveAttribute("data-phase", "done", { timeout: 120_000 });
  await expect(answers).toHaveCount(3);
  expect(await answers.first().textContent()).toBe(earlier);
  // Its model was deleted; the embedded one stays known.
  await expect(page.getByRole("button", { name: "Load tiny-smolvlm again" })).toBeHidden();

  await open();
  await models.getByLabel("Choose a folder").setInputFiles("fixtures/families/llama");
  await expect(models).toBeHidden();
  await expect(chip).toContainText("llama");
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 60_000 });

  await dropFolder(page, "public/samples");
  await expect(
    page.getByText("“samples” is no model directory: it has no config.json."),
  ).toBeVisible();
  await dropFolder(page, "fixtures/families/smolvlm");
  await expect(chip).toContainText("smolvlm");
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 60_000 });

  let send = () => {};
  const holds = new Promise<void>((resolve) => {
    send = resolve;
  });
  hub.behave({ holds });
  await open();
  const id = models.getByLabel("Model", { exact: true });
  await id.fill("https://models.example/tiny");
  await models.getByRole("button", { name: "Look up", exact: true }).click();
  await expect(models.getByRole("alert")).toHaveText(
    /The security policy of this page does not allow it to read from models\.example/,
  );
  const address = `${hub.pageUrl}storage`;
  await id.fill(`${address}/`);
  await models.getByRole("button", { name: "Look up", exact: true }).click();
  await expect(models.getByRole("heading", { name: `${address} can be used` })).toBeVisible();
  await fetchIt.click();
  await models.getByText(/Progress of \d+ files/).click();
  const files = models.getByRole("listitem");
  await expect(files.filter({ hasText: "config.json" }).first()).toContainText(
    /([\d.]+\s.?B) of \1/,
  );
  await expect(files.filter({ hasText: "model.safetensors" })).toContainText(
    /^model\.safetensors0\sB of/,
  );
  await expectAccessible(page);
  send();
  await expect(models).toBeHidden({ timeout: 60_000 });
  await expect(chip).toContainText("storage");
  await expect(chip.locator("[data-phase=ready]")).toBeVisible({ timeout: 60_000 });
  expect(new URL(page.url()).searchParams.get("model")).toBe(address);
  hub.close();
});

/** Drops a folder as a person does: only the browser itself can make such a drop. */
async function dropFolder(page: Page, folder: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path.resolve(folder)], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
  }
  await session.detach();
}
