import { chromium } from "@playwright/test";
import { afterEach, expect, it, vi } from "vitest";
import { findBrowser } from "./browser";
import { openEngine } from "./engine";
import { visitSite } from "./visit";

const site = vi.hoisted(() => ({ url: "http://localhost/", close: vi.fn() }));
vi.mock("./site", () => ({ buildIfStale: () => undefined, serveSite: async () => site }));
vi.mock("./browser", () => ({ findBrowser: vi.fn(async () => ({})), launchOptions: () => ({}) }));

afterEach(() => {
  vi.restoreAllMocks();
  site.close.mockClear();
});

it("leaves nothing open if there is no browser, or if its page does not load", async () => {
  vi.mocked(findBrowser).mockRejectedValueOnce(new Error("no browser"));
  await expect(openEngine("models/a")).rejects.toThrow("no browser");
  expect(site.close).toHaveBeenCalledOnce();

  const close = vi.fn();
  const newPage = () => Promise.reject(new Error("no page"));
  vi.spyOn(chromium, "launch").mockResolvedValue({ newPage, close } as never);
  await expect(openEngine("models/a")).rejects.toThrow("no page");
  expect(site.close).toHaveBeenCalledTimes(2);
  expect(close).toHaveBeenCalledOnce();
});

it("closes what a visit needed, however it ends", async () => {
  vi.mocked(findBrowser).mockRejectedValueOnce(new Error("no browser"));
  await expect(visitSite(async () => 1)).rejects.toThrow("no browser");
  expect(site.close).toHaveBeenCalledOnce();

  const close = vi.fn();
  vi.spyOn(chromium, "launch").mockResolvedValue({ close } as never);
  expect(await visitSite(async (_, url) => url)).toBe(site.url);
  await expect(visitSite(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  expect(site.close).toHaveBeenCalledTimes(3);
  expect(close).toHaveBeenCalledTimes(2);
});
