import { execFile } from "node:child_process";
import fs from "node:fs";
import { promisify } from "node:util";
import { expect } from "@playwright/test";
import type { AskDocument } from "../cli/ask/document";
import { test } from "./test";

/** What the README promises, with the real engine; its words are the script. */
const README = fs.readFileSync("README.md", "utf8");

test("the first minute happens as the README tells it", async ({ page }) => {
  const [, question = "", percent = "", answer = "", lower = "", policy = "", at = ""] =
    /Ask \*(.+?)\*, set \*Keep\* to (\d+) % and ask again: the answer is still `(.+?)`\. At (\d+) %,\s+or with (\w+) at (\d+) %, it becomes wrong/.exec(
      README,
    ) ?? [];
  expect(question).not.toBe("");
  const answers = page.getByRole("article", { name: "Answer" });
  let asked = 0;
  async function ask(): Promise<string> {
    await page.getByLabel("Question").fill(question);
    await page.keyboard.press("Enter");
    asked += 1;
    await expect(answers).toHaveCount(asked, { timeout: 60_000 });
    await expect(answers.last()).toHaveAttribute("data-phase", "done", { timeout: 120_000 });
    await expect(page.getByRole("button", { name: "Stop" })).toBeHidden({ timeout: 120_000 });
    // A word that differs is marked for screen readers; the answer is the rest.
    return (await answers.last().innerText()).replace(/differs:\s*/g, "").trim();
  }

  await page.goto("./");
  expect(await ask()).toBe(answer);
  await page.getByLabel("Keep percent").fill(percent);
  expect(await ask()).toBe(answer);
  await page.getByLabel("Keep percent").fill(lower);
  expect(await ask()).not.toBe(answer);
  await page.getByLabel("Policy", { exact: true }).selectOption({ label: policy });
  await page.getByLabel("Keep percent").fill(at);
  expect(await ask()).not.toBe(answer);
});

test("the README's ask example runs as written, and gives the page's answer", async () => {
  const [, written = ""] = /^npm run ask -- (--image .+)$/m.exec(README) ?? [];
  const args = [...written.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain!,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["cli/run.mjs", "ask", ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const { turns } = JSON.parse(stdout) as AskDocument;
  const samples = JSON.parse(fs.readFileSync("public/samples/samples.json", "utf8")) as {
    readonly file: string;
    readonly questions: readonly string[];
    readonly answers: readonly string[];
  }[];
  const sample = samples.find(({ file }) => args.includes(`public/samples/${file}`))!;
  const place = sample.questions.indexOf(args[args.indexOf("--prompt") + 1]!);
  expect(turns[0]!.answer.trim()).toBe(sample.answers[place]);
});
