import { expect, test, vi } from "vitest";
import type { App } from "@/store/app/app";
import type { Attempt } from "@/store/conversation/conversation";
import { shareLink } from "./shareLink";

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
