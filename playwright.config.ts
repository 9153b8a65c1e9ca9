import { defineConfig } from "@playwright/test";
import { findBrowser, launchOptions } from "./cli/browser";

const browser = await findBrowser();
const port = Number(process.env.KEEPSIGHT_PORT ?? 4193);

/** Drives the built site, in the browser that `cli/browser.ts` finds. */
export default defineConfig({
  testDir: "e2e",
  // One worker: parallel GPU tests on a software adapter with two cores would time out.
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: process.env.KEEPSIGHT_REPORT
    ? [["list"], ["json", { outputFile: process.env.KEEPSIGHT_REPORT }]]
    : "list",
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    launchOptions: launchOptions(browser),
    // `page.route` does not see a service worker's requests; `offline.spec.ts` allows it.
    serviceWorkers: "block",
    trace: "retain-on-failure",
  },
  webServer: {
    command: `node cli/run.mjs start --port ${port}`,
    url: `http://127.0.0.1:${port}/headless.html`,
    reuseExistingServer: false,
    timeout: 120_000,
  },
});
