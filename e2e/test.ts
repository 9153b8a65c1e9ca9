import { type BrowserContext, test as base, expect, type Page } from "@playwright/test";

/** Begins a console message about an action that a Content-Security-Policy has refused. */
const MARK = "Content-Security-Policy refused";

/** Of all pages and workers since the last test. */
const seen: string[] = [];

/**
 * Playwright's `test`, for every spec: fails a test during which a page or a worker violates the
 * Content-Security-Policy. A test that wants violations takes them out of `violations`.
 */
export const test = base.extend<{ violations: string[] }, { watched: undefined }>({
  violations: [
    async ({ watched: _ }, use) => {
      await use(seen);
      expect(seen.splice(0), "violations of the Content-Security-Policy").toEqual([]);
    },
    { auto: true },
  ],
  watched: [
    async ({ browser }, use) => {
      const open = browser.newContext.bind(browser);
      browser.newContext = async (options) => watch(await open(options));
      await use(undefined);
    },
    { scope: "worker", auto: true },
  ],
});

async function watch(context: BrowserContext): Promise<BrowserContext> {
  context.on("console", (message) => {
    if (message.text().startsWith(MARK)) seen.push(message.text());
  });
  context.on("page", (page: Page) =>
    page.on("worker", (worker) => {
      worker.evaluate(reportViolations, MARK).catch(() => undefined); // it may have ended
    }),
  );
  await context.addInitScript(reportViolations, MARK);
  return context;
}

/** Runs inside a page or a worker. */
function reportViolations(mark: string): void {
  globalThis.addEventListener("securitypolicyviolation", (event) => {
    const { effectiveDirective, blockedURI, sourceFile, lineNumber } =
      event as SecurityPolicyViolationEvent;
    console.error(`${mark} ${effectiveDirective} ${blockedURI} (${sourceFile}:${lineNumber})`);
  });
}
