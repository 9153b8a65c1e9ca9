import { expect } from "@playwright/test";
import { POLICIES } from "../src/compression/registry";
import { ask, openScripted } from "./scripted";
import { test } from "./test";

/** Words that are the same in every language: names of policies and venues, and terms of the field. */
const NAMES = [
  ...POLICIES.flatMap(({ label, paper }) => [label, paper?.venue ?? ""]),
  "token",
  "SwiftShader",
];

test.describe("in a Chinese browser", () => {
  test.use({ locale: "zh-CN" });

  test("the page is Chinese, changes by hand while it shows an answer, and remembers the choice", async ({
    page,
  }) => {
    await openScripted(page);
    const root = page.locator("html");
    await expect(root).toHaveAttribute("lang", "zh-CN");
    await expect(page.getByText("内置模型只能读英文")).toBeVisible();
    await expect(page.getByText(/^就“收据：Lucky Kiosk”提问/)).toBeVisible();
    await page.getByLabel("问题", { exact: true }).fill("What is the total?");
    await page.getByRole("button", { name: "提问", exact: true }).click();
    const answer = page.getByRole("article", { name: "回答" }).last();
    await expect(answer).toHaveAttribute("data-phase", "done");
    for (const name of ["缓存", "查看区"]) {
      const words = await page.getByLabel(name, { exact: true }).innerText();
      const rest = NAMES.reduce((text, each) => text.replaceAll(each, ""), words);
      expect(rest.match(/[A-Za-z]{4,}/g) ?? [], name).toEqual([]);
    }

    await page.getByRole("button", { name: "English" }).click();
    await expect(root).toHaveAttribute("lang", "en");
    await expect(page.getByRole("button", { name: "Ask again", exact: true })).toBeVisible();
    await expect(page.getByRole("article", { name: "Answer" })).toHaveCount(1);
    await page.reload();
    await expect(page.getByRole("button", { name: "中文" })).toBeVisible();
  });

  test("a failure of the engine has a Chinese sentence, and its English one on request", async ({
    page,
  }) => {
    await page.route("**/recording.json", (route) => route.fulfill({ status: 404 }));
    await page.goto("./?engine=scripted");
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("引擎内部错误");
    expect(await alert.innerText()).not.toMatch(/[a-z]+ [a-z]+/);
    await alert.getByText("原文（英文）").click();
    expect(await alert.innerText()).toMatch(/[a-z]+ [a-z]+/);
    await expect(page.getByRole("button", { name: "重试" })).toBeVisible();
  });
});

test("a question in another script is laid out by its own direction, with a note on what the model reads", async ({
  page,
}) => {
  await openScripted(page);
  const field = page.getByLabel("Question");
  await field.fill("كم المجموع؟");
  expect(await field.evaluate((element) => element.matches(":dir(rtl)"))).toBe(true);
  await expect(page.getByText("The embedded model reads English only.").last()).toBeVisible();
  await ask(page, "What is the total?");
});
