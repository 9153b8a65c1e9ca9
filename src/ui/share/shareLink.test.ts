import { expect, test, vi } from "vitest";
import { POLICIES } from "@/compression/registry";
import type { App } from "@/store/app/app";
import type { Attempt } from "@/store/conversation/conversation";
import { readQuestion } from "@/store/settings/address";
import { INITIAL_SETTINGS } from "@/store/settings/settings";
import { shareLink } from "./shareLink";

test("a comparison's link has the options of every lane", () => {
  vi.stubGlobal("location", { origin: "https://a.example", pathname: "/" });
  const lanes = ["released", "config"].map((search): Attempt => {
    const settings = { policy: "prefixkv", retention: 0.1, scope: "visual" } as const;
    const run = { phase: "queued" } as const;
    return { id: search, settings: { ...settings, options: { search } }, run, comparison: "c" };
  });
  const exchange = { id: "e", images: ["p"], question: "What?", attempts: lanes };
  const conversation = { images: [{ id: "p", sampleId: "receipt" }], exchanges: [exchange] };
  const app = {
    policies: POLICIES,
    chat: { store: { getState: () => ({ conversation }) } },
    settings: { getState: () => INITIAL_SETTINGS },
  } as unknown as App;
  const link = new URL(shareLink(app, exchange, lanes[1]!)!);
  const read = readQuestion(link.search, POLICIES);
  expect(read?.lanes.map(({ options }) => options.search)).toEqual(["released", "config"]);
});

test("a question about a sample has a link, but not if it is too long or patches were hidden", () => {
  vi.stubGlobal("location", { origin: "https://a.example", pathname: "/" });
  const attempt: Attempt = {
    id: "a",
    settings: { policy: "snapkv", retention: 0.1, scope: "visual", options: {} },
    run: { phase: "queued" },
  };
  const exchange = { id: "e", images: ["p"], question: "What?", attempts: [attempt] };
  const conversation = { images: [{ id: "p", sampleId: "receipt" }], exchanges: [exchange] };
  const app = {
    policies: [],
    chat: { store: { getState: () => ({ conversation }) } },
    settings: { getState: () => ({ options: {}, sampling: {} }) },
  } as unknown as App;
  expect(shareLink(app, exchange, attempt)).toContain("What");
  const long = { ...exchange, question: "What? ".repeat(100) };
  conversation.exchanges.push(long);
  expect(shareLink(app, long, attempt)).toBeUndefined();
  const hidden = { image: "p", patches: [] };
  expect(shareLink(app, exchange, { ...attempt, hidden })).toBeUndefined();
});
