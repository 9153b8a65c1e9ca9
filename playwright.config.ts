import { defineConfig } from "@playwright/test";
import { findBrowser, launchOptions } from "./cli/browser";

const browser = await findBrowser();
const port = Number(process.env.KEEPSIGHT_PORT ?? 4193);

/** Drives the built site, in the browser that `cli/browser.ts` finds. */
export default defineConfig({
  testDir: "e2e",
  // One worker: two cores run the software adapter, and GPU tests would time each other out.
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
    // Its requests pass by `page.route`; `offline.spec.ts` lets it work.
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
