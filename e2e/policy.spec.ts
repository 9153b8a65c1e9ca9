import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { type StaticSite, serveStatic } from "./staticSite";
import { test } from "./test";

const DIST = path.resolve("dist");
const PAGES = ["index.html", "headless.html", "examples/embed.html"];

/** Another origin: a host that wants to hear from the page. */
let foreign: StaticSite;
test.beforeEach(async () => {
  foreign = await serveStatic("/", DIST);
});
test.afterEach(() => foreign.close());

/** Fetches inside the engine's worker, as code of an attacker would. */
async function fetchInWorker(page: Page, url: string): Promise<string> {
  const started = page.waitForEvent("worker");
  await page.goto(new URL("headless.html", url).href);
  await page.evaluate(() => window.keepsight.memory());
  return (await started).evaluate(
    (address) => fetch(address, { mode: "no-cors" }).then(() => "read", String),
    `${foreign.url}favicon.svg`,
  );
}

test("every page has the policy, every script the same one as a header", async ({ request }) => {
  const policies = new Set<string>();
  for (const name of PAGES) {
    const html = await (await request.get(name)).text();
    const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)!;
    policies.add(policy!);
    expect(html).not.toMatch(/<style|<script(?! type="module" crossorigin src=)| style=| on\w+=/);
    const scripts = [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, script] of scripts) {
      const address = new URL(script!, new URL(name, "http://any/")).pathname.slice(1);
      policies.add((await request.get(address)).headers()["content-security-policy"]!);
    }
  }
  expect([...policies]).toEqual([
    [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "worker-src 'self'",
      "style-src 'self'",
      "font-src 'self'",
      "img-src 'self' blob: data:",
      "media-src blob:",
      "connect-src 'self' huggingface.co *.huggingface.co *.hf.co *.xethub.hf.co",
      "manifest-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types default",
    ].join("; "),
  ]);
});

test("neither the page nor its worker reaches another host", async ({
  page,
  baseURL,
  violations,
}) => {
  expect(await fetchInWorker(page, baseURL!)).toMatch(/TypeError/);
  const inPage = (address: string) =>
    fetch(address, { mode: "no-cors" }).then(() => "read", String);
  expect(await page.evaluate(inPage, `${foreign.url}favicon.svg`)).toMatch(/TypeError/);
  expect(foreign.requests).toEqual([]);
  await expect.poll(() => violations.length).toBe(2);
  for (const violation of violations.splice(0)) {
    expect(violation).toContain(`connect-src ${foreign.url}`);
  }
});

test("only addresses of the page's own origin start a worker", async ({ page }) => {
  await page.goto("headless.html");
  const outcome = await page.evaluate(() => {
    try {
      new Worker("data:text/javascript,0");
      return "started";
    } catch (error) {
      return String(error);
    }
  });
  expect(outcome).toMatch(/Scripts come from/);
});

test.describe("a host that sends no headers", () => {
  test.use({ serviceWorkers: "allow" });

  test("leaves the worker free until the service worker adds the policy", async ({
    page,
    violations,
  }) => {
    const host = await serveStatic("/app/", DIST);
    expect(await fetchInWorker(page, host.url)).toBe("read");
    expect(foreign.requests).toEqual(["favicon.svg"]);

    await page.goto(`${host.url}?engine=scripted`);
    const isControlled = () => page.evaluate(() => Boolean(navigator.serviceWorker.controller));
    await expect.poll(isControlled).toBe(true);
    expect(await fetchInWorker(page, host.url)).toMatch(/TypeError/);
    expect(foreign.requests).toHaveLength(1);
    await expect.poll(() => violations.splice(0)).toHaveLength(1);
    host.close();
  });
});
