import { type Browser, chromium } from "@playwright/test";
import { findBrowser, launchOptions } from "./browser";
import { buildIfStale, serveSite } from "./site";

/**
 * Serves the built site while a browser visits it. Both are closed afterwards, also if the browser does not start: a
 * server that is left would keep the process from ending.
 * @param mounts as in `serveSite`
 */
export async function visitSite<T>(
  visit: (browser: Browser, url: string) => Promise<T>,
  mounts: Readonly<Record<string, string>> = {},
): Promise<T> {
  buildIfStale();
  const site = await serveSite(mounts);
  try {
    const browser = await chromium.launch(launchOptions(await findBrowser()));
    return await visit(browser, site.url).finally(() => browser.close());
  } finally {
    site.close();
  }
}
