import { expect } from "@playwright/test";
import { findBrowser, launchOptions } from "../cli/shared/browser";
import { expectAccessible } from "./pageChecks";
import { test } from "./test";

const HOST = "keepsight.example";
const browser = await findBrowser();

/** A name that is not localhost, as in a local network: browsers do not treat it as secure. */
test.use({
  launchOptions: launchOptions({
    ...browser,
    args: [...browser.args, `--host-resolver-rules=MAP ${HOST} 127.0.0.1`],
  }),
});

test("an address that is not secure shows the page, and says what it needs and what it lacks", async ({
  page,
  baseURL,
}) => {
  await page.goto(baseURL!.replace("127.0.0.1", HOST));
  await expect(page.getByRole("alert")).toContainText("needs https or localhost");
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  await expectAccessible(page);

  // Nor is there a clipboard; the page says so.
  await page.getByRole("button", { name: "Show data: KV cache over time" }).click();
  await page.getByRole("button", { name: "Copy CSV" }).click();
  await expect(page.getByRole("button", { name: "Failed" })).toBeVisible();
});
