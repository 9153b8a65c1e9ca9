import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, test } from "@playwright/test";
import sirv from "sirv";

/** The same files under a sub-path, as a static host would serve them. */
async function serveUnder(prefix: string) {
  const serve = sirv(path.resolve("dist"), { dev: true });
  const server = http.createServer((request, response) => {
    const missing = () => {
      response.statusCode = 404;
      response.end();
    };
    if (!request.url?.startsWith(prefix)) return missing();
    request.url = request.url.slice(prefix.length - 1);
    serve(request, response, missing);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${prefix}`, close: () => server.close() };
}

test("a session under a sub-path makes no foreign request and answers", async ({ page }) => {
  const site = await serveUnder("/demo/keepsight/");
  const foreign: string[] = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(site.url) && !/^(blob|data):/.test(url)) foreign.push(url);
  });
  await page.goto(site.url);
  await page.getByRole("textbox", { name: "Question" }).fill("What is the total?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const answer = page.getByRole("article", { name: "Answer" }).last();
  await expect(answer).toHaveAttribute("data-phase", "done", { timeout: 120_000 });
  await expect(answer).not.toBeEmpty();
  expect(foreign).toEqual([]);
  site.close();
});

test("the build holds no address of a content network", () => {
  const bundles = fs
    .readdirSync("dist/assets")
    .filter((name) => name.endsWith(".js") || name.endsWith(".css"));
  expect(bundles.length).toBeGreaterThan(0);
  for (const name of bundles) {
    const text = fs.readFileSync(path.join("dist/assets", name), "utf8");
    expect(text.includes("fonts.googleapis.com"), name).toBe(false);
  }
});
