import fs from "node:fs";
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { EnginePage, must } from "../cli/shared/enginePage";
import { type Site, serveSite } from "../cli/shared/site";
import type { Turn } from "../src/protocol/request";
import { Directory } from "../test/directories/directory";
import { REPORTED, type ReportedDirectory } from "../test/directories/reported";
import { test } from "./test";

/** Every directory is loaded by the same engine, so a failure must not reach the next one. */

const IMAGE = "fixtures/images/receipt.png";
/** Loops that take years and no memory: one long range would soon exceed the largest array. */
const ENDLESS = `${"{% for i in range(1000) %}".repeat(6)}${"{% endfor %}".repeat(6)}`;

let folder: string;
let site: Site;
let page: Page;
let engine: EnginePage;

test.beforeAll(async ({ browser }, { project }) => {
  folder = path.join(project.outputDir, "directories");
  fs.mkdirSync(folder, { recursive: true });
  site = await serveSite({ directories: folder });
  page = await browser.newPage();
  engine = await EnginePage.open(page, `${site.url}headless.html`);
  engine.addImage("image", IMAGE);
});
test.afterAll(async () => {
  await page.close();
  site.close();
  fs.rmSync(folder, { recursive: true });
});

/** Puts a directory on the site. @returns its address */
function put(name: string, change: ReportedDirectory["change"]): string {
  const directory = new Directory();
  change(directory);
  for (const [file, bytes] of directory.files) {
    const target = path.join(folder, name, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, bytes);
  }
  return `${site.url}directories/${name}/`;
}

for (const { name, change, questions, promptTokens, gives } of REPORTED) {
  test(name, async () => {
    const loaded = await engine.load(put(name, change));
    if (gives instanceof RegExp) {
      expect(loaded.failure).toMatchObject({ code: expect.stringMatching(/badModel|unknownArch/) });
      return expect(loaded.failure?.message).toMatch(gives);
    }
    must(loaded);
    const turns: Turn[] = [];
    for (const [index, expected] of gives.entries()) {
      const question = questions?.[index] ?? "What is this?";
      const turn = { images: questions ? [] : ["image"], question };
      const asked = { turns: [...turns, turn], sampling: { maxNewTokens: 4 } };
      const { tokenIds, promptTokens: count } = must(await engine.ask(asked));
      expect(tokenIds).toEqual(expected);
      if (promptTokens) expect(count).toBe(promptTokens[index]);
      turns.push({ ...turn, answerIds: tokenIds });
    }
  });
}

test("an image token that a model draws or a person types stays text", async () => {
  must(
    await engine.load(
      put("emits-image-token", REPORTED.find(({ name }) => name === "emits-image-token")!.change),
    ),
  );
  const sampling = { maxNewTokens: 6 };
  const first: Turn = { images: ["image"], question: "Is <image> a word?" };
  const { tokenIds, visualTokens } = must(await engine.ask({ turns: [first], sampling }));
  expect(visualTokens).toBe(80);
  const turns = [
    { ...first, answerIds: [...tokenIds, 4, 4] },
    { images: ["image"], question: "And now?" },
  ];
  const { images } = must(await engine.ask({ turns, sampling }));
  expect(images.map(({ tiles }) => tiles.length)).toEqual([5, 5]);
});

test("Stop ends a model that never ends within ten seconds, and the next one answers", async () => {
  const loading = engine.load(put("endless-template", (d) => d.template(ENDLESS)));
  // A worker that holds its thread does not reply.
  const isHeld = () =>
    Promise.race([
      page
        .workers()
        .at(-1)
        ?.evaluate(() => false) ?? false,
      new Promise((hold) => setTimeout(hold, 1000, true)),
    ]).catch(() => false); // a worker that has just been replaced
  await expect.poll(isHeld).toBe(true);
  const started = Date.now();
  await page.evaluate(() => window.keepsight.cancel());
  expect((await loading).failure?.code).toBe("cancelled");
  expect(Date.now() - started).toBeLessThan(10_000);
  must(await engine.load(put("base", () => undefined)));
  const turns = [{ images: ["image"], question: "What is this?" }];
  expect(must(await engine.ask({ turns, sampling: { maxNewTokens: 4 } })).tokenIds).toEqual([
    149, 230, 127, 394,
  ]);
});
