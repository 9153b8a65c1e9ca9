import fs from "node:fs";
import path from "node:path";
import { type BrowserContext, expect, type Page } from "@playwright/test";
import { ask, recording } from "./scripted";
import { copyBuild, type StaticSite, serveStatic } from "./staticSite";
import { test } from "./test";

test.use({ serviceWorkers: "allow" });

const DIST = path.resolve("dist");
const SCRIPTED = "?engine=scripted&pace=0";
const script = () => ({ "recording.json": JSON.stringify(recording()) });

/** Nothing that a recording needs is larger: weights and ONNX Runtime are left out of copies. */
const LARGEST = 2e6;

/** Copies of the build are large and are deleted at the end of their test. */
const builds = (outputDir: string, name = "") => path.join(outputDir, "builds", name);
test.afterEach(async ({ browserName: _ }, { outputDir }) => {
  await fs.promises.rm(builds(outputDir), { recursive: true, force: true });
});

/** Files that the service worker has stored, with the start of their digests. */
const kept = (page: Page) =>
  page.evaluate(async () => {
    const names = await caches.keys();
    const caught = names.map(async (name) => (await caches.open(name)).keys());
    return (await Promise.all(caught)).flat().map(({ url }) => url.slice(0, -56));
  });

/** The page is stored last, so all files for an offline visit are stored. */
async function untilKept(page: Page): Promise<void> {
  const isKept = async () => (await kept(page)).some((url) => url.includes("/index.html?"));
  await expect.poll(isKept, { timeout: 120_000 }).toBe(true);
}

/** The newer build is complete and waits. */
const untilWaiting = (page: Page) =>
  expect
    .poll(
      () =>
        page.evaluate(async () => {
          const registration = await navigator.serviceWorker.getRegistration();
          return registration?.waiting?.state;
        }),
      { timeout: 60_000 },
    )
    .toBe("installed");

function foreignRequests(context: BrowserContext, site: StaticSite): readonly string[] {
  const foreign: string[] = [];
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(site.url) && !/^(blob|data):/.test(url)) foreign.push(url);
  });
  return foreign;
}

test("a visit under a sub-path, then one without a network: both answer", async ({
  page,
  context,
}) => {
  test.setTimeout(400_000);
  const site = await serveStatic("/some/where/", DIST);
  const foreign = foreignRequests(context, site);
  const question = page.getByRole("textbox", { name: "Question" });
  const answer = page.getByRole("article", { name: "Answer" }).last();
  await page.goto(site.url);
  await question.fill("What is the total?");
  await question.press("Enter");
  await expect(answer).toHaveAttribute("data-phase", "done", { timeout: 150_000 });
  const online = await answer.textContent();
  expect(online).not.toBe("");
  await untilKept(page);
  // Large files were downloaded once, the weights as one file for any range requests.
  const large = site.requests.filter((name) => /\.wasm|model\.safetensors|\.onnx/.test(name));
  expect(large.toSorted()).toEqual([
    expect.stringMatching(/^assets\/ort-wasm.*\.wasm$/), // for models that have their encoder as ONNX only
    "models/keepsight-mini/model.safetensors",
  ]);

  site.close();
  await expect(fetch(site.url)).rejects.toThrow();
  await page.reload();
  await page
    .getByRole("button", { name: /^Chart/ })
    .first()
    .click();
  await expect(answer).toHaveCount(0); // a new conversation, once the image is there
  await question.fill("What does this image show?");
  await question.press("Enter");
  await expect(answer).toHaveAttribute("data-phase", "done", { timeout: 150_000 });
  await expect(answer).not.toBeEmpty();
  expect(foreign).toEqual([]);
});

test("a newer build comes whole, and shows at the next visit", async ({ page }, { outputDir }) => {
  test.setTimeout(300_000);
  const [first, second] = [builds(outputDir, "first"), builds(outputDir, "second")];
  await copyBuild(DIST, first, { title: "First build" });
  await copyBuild(DIST, second, { title: "Second build" });
  const site = await serveStatic("/app/", first, script());
  await page.goto(site.url + SCRIPTED);
  await untilKept(page);
  const before = await kept(page);

  site.deploy(second);
  await page.reload();
  await expect(page).toHaveTitle("First build");
  await untilWaiting(page);
  await page.reload();
  await expect(page).toHaveTitle("Second build");
  await ask(page, "What is the total?");
  // Only the page differs between the builds: everything else was kept, and nothing was left behind.
  const after = await kept(page);
  const isPage = (url: string) => url.includes("/index.html?");
  const sorted = (urls: readonly string[]) => urls.filter((url) => !isPage(url)).toSorted();
  expect(sorted(after)).toEqual(sorted(before));
  expect(after.filter(isPage)).toHaveLength(1);
  expect(after.find(isPage)).not.toBe(before.find(isPage));

  site.close();
  await page.reload();
  await expect(page).toHaveTitle("Second build");
});

test("a newer build waits while another page of the old one is open", async ({ page, context }, {
  outputDir,
}) => {
  test.setTimeout(300_000);
  const [older, newer] = [builds(outputDir, "older"), builds(outputDir, "newer")];
  await copyBuild(DIST, older, { title: "Older build", largest: LARGEST });
  await copyBuild(DIST, newer, { title: "Newer build", largest: LARGEST });
  const site = await serveStatic("/", older, script());
  await page.goto(site.url + SCRIPTED);
  await untilKept(page);
  const other = await context.newPage();
  await other.goto(site.url + SCRIPTED);
  site.deploy(newer);
  for (let visit = 0; visit < 2; visit++) {
    await page.reload();
    await untilWaiting(page);
    await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
    await expect(page).toHaveTitle("Older build");
  }
  await other.close();
  // The browser removes a closed page with a delay.
  await expect(async () => {
    await page.reload();
    await expect(page).toHaveTitle("Newer build", { timeout: 8_000 });
  }).toPass({ timeout: 60_000 });
  site.close();
});

test("a forced reload shows the newer build at once", async ({ page, context }, { outputDir }) => {
  const [older, newer] = [builds(outputDir, "older"), builds(outputDir, "newer")];
  await copyBuild(DIST, older, { title: "Older build", largest: LARGEST });
  await copyBuild(DIST, newer, { title: "Newer build", largest: LARGEST });
  const site = await serveStatic("/", older, script());
  await page.goto(site.url + SCRIPTED);
  await untilKept(page);
  site.deploy(newer);
  const session = await context.newCDPSession(page);
  await session.send("Page.reload", { ignoreCache: true });
  await expect(page).toHaveTitle("Newer build");
  await ask(page, "What is the total?");
  site.close();
});

test("a file that is not of this build is not kept", async ({ page }, { outputDir }) => {
  const folder = builds(outputDir, "torn");
  await copyBuild(DIST, folder, { title: "Torn build", largest: LARGEST });
  const site = await serveStatic("/", folder, {
    ...script(),
    "models/keepsight-mini/config.json": "{}",
  });
  await page.goto(site.url + SCRIPTED);
  const asked = () => site.requests.includes("models/keepsight-mini/config.json");
  await expect.poll(asked, { timeout: 60_000 }).toBe(true);
  await page.waitForTimeout(500);
  const urls = await kept(page);
  expect(urls.length).toBeGreaterThan(10);
  expect(urls.filter((url) => /config\.json\?|index\.html\?/.test(url))).toEqual([]);
  site.close();
});

test("where the browser forbids storage, the page works all the same", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  await page.addInitScript(() => {
    const refuse = () => {
      throw new DOMException("Storage is forbidden here.", "SecurityError");
    };
    for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
      Object.defineProperty(window, name, { get: refuse });
    }
    Object.defineProperty(Navigator.prototype, "serviceWorker", { get: refuse });
  });
  const site = await serveStatic("/", DIST, script());
  await page.goto(site.url + SCRIPTED);
  await page.getByRole("button", { name: /^Theme/ }).click();
  await ask(page, "What is the total?");
  await expect(page.getByLabel("Answer", { exact: true })).toHaveAttribute("data-phase", "done");
  expect(errors).toEqual([]);
  site.close();
});

test("the page can be installed", async ({ page, context }) => {
  const site = await serveStatic("/some/where/", DIST, script());
  await page.goto(site.url + SCRIPTED);
  const session = await context.newCDPSession(page);
  const { url, errors, data } = await session.send("Page.getAppManifest");
  expect(url).toBe(`${site.url}manifest.webmanifest`);
  expect(errors).toEqual([]);
  const { name, start_url, scope, icons } = JSON.parse(data ?? "{}");
  expect([name, new URL(start_url, url).href, new URL(scope, url).href]).toEqual([
    "Keepsight",
    site.url,
    site.url,
  ]);
  const sizes = await page.evaluate(
    (sources) =>
      Promise.all(
        sources.map(async (src) => {
          const image = new Image();
          image.src = src;
          await image.decode();
          return `${image.naturalWidth}x${image.naturalHeight}`;
        }),
      ),
    (icons as { src: string }[]).map(({ src }) => new URL(src, url).href),
  );
  const declared = (icons as { sizes: string }[]).map((icon) => icon.sizes);
  expect(sizes.slice(1)).toEqual(declared.slice(1));
  expect(declared[0]).toBe("any");
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  const ids = installabilityErrors.map(({ errorId }) => errorId);
  // A test's profile is a private window, which cannot install the page.
  expect(ids.filter((id) => id !== "in-incognito")).toEqual([]);
  site.close();
});

test("the build holds no address of a content network", () => {
  const bundles = fs
    .readdirSync("dist/assets")
    .filter((name) => name.endsWith(".js") || name.endsWith(".css"));
  expect(bundles.length).toBeGreaterThan(0);
  for (const name of bundles) {
    const text = fs.readFileSync(path.join("dist/assets", name), "utf8");
    expect(text.includes("fonts.googleapis.com"), name).toBe(false);
  }
});
