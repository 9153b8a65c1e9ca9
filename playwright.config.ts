import { defineConfig } from "@playwright/test";
import { findBrowser, launchOptions } from "./cli/shared/browser";

// A test loads ONNX Runtime and computes little with it: optimizing its functions takes longer than it saves.
process.env.KEEPSIGHT_BROWSER_ARGS ??= "--js-flags=--wasm-tiering-budget=100000000";
const browser = await findBrowser();
const port = Number(process.env.KEEPSIGHT_PORT ?? 4193);
/** Specs that play a recording back: the page without the model. */
const SCRIPTED = ["**/ui.spec.ts", "**/ui.*.spec.ts"];

/** Drives the built site, in the browser that `cli/shared/browser.ts` finds. */
export default defineConfig({
  testDir: "e2e",
  // The software adapter takes every core, so one test at a time runs the real engine. Tests of the page
  // alone mostly wait for frames and timers; they run beside it.
  workers: 2,
  projects: [
    { name: "engine", testIgnore: SCRIPTED, workers: 1 },
    { name: "page", testMatch: SCRIPTED },
  ],
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
    // No traces: recording them takes a sixth of the time. `--trace on` records one.
    screenshot: "only-on-failure",
  },
  webServer: {
    command: `node cli/run.mjs start --port ${port}`,
    url: `http://127.0.0.1:${port}/headless.html`,
    reuseExistingServer: false,
    timeout: 120_000,
  },
});
