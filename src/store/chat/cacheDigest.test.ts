import { expect, it } from "vitest";
import type { CacheSettings } from "@/protocol/request";
import { result } from "../app/testing";
import {
  type ChatConversation,
  emptyConversation,
  withExchange,
} from "../conversation/conversation";
import { type CacheOrigin, cacheDigest, openingDigest } from "./cacheDigest";

const settings: CacheSettings = {
  ...{ policy: "snapkv", retention: 0.1, scope: "visual", options: { window: 8, pool: 7 } },
};
const model = {
  id: "m",
  versions: { weights: "sha256:1" },
  elementType: "f16",
  kvType: "f16",
} as const;

interface Content {
  readonly pixels?: string;
  readonly question?: string;
  readonly answer?: readonly number[];
}

/** An answered question about an image, and a next one that waits; ids of its own. */
function conversation(id: string, content: Content = {}): ChatConversation {
  const { pixels = "pixels", question = "What?", answer = [5, 6] } = content;
  const blob = new Blob([pixels]);
  const image = { id: `${id}.image`, title: id, alt: "", blob, url: "", width: 1, height: 1 };
  const run = { phase: "done", result: result({ tokenIds: answer }) } as const;
  const asked = { id: `${id}.1`, images: [image.id], question };
  const next = { id: `${id}.2`, images: [], question: `And ${id}?` };
  return [
    { ...asked, attempts: [{ id: `${id}.a`, settings, run }] },
    { ...next, attempts: [{ id: `${id}.b`, settings, run: { phase: "queued" } as const }] },
  ].reduce(withExchange, emptyConversation(id, 0, image));
}

const digest = (id: string, content?: Content, origin: Partial<CacheOrigin> = {}) =>
  cacheDigest({ model, settings, conversation: conversation(id, content), ...origin });

it("is equal after an answer and before the next question, in any conversation with the same content", async () => {
  const after = await digest("a");
  expect(after).toMatch(/^[0-9a-f]{64}$/);
  expect(await digest("a", {}, { before: "a.2" })).toBe(after);
  expect(await digest("b", {}, { before: "b.2" })).toBe(after);
  const reordered = { ...settings, options: { pool: 7, window: 8 } };
  expect(await digest("b", {}, { settings: reordered })).toBe(after);
});

it("differs with the pixels, the question, the answer, the settings and the weights", async () => {
  const all = await Promise.all([
    digest("a"),
    digest("a", {}, { before: "a.1" }),
    digest("a", { pixels: "others" }),
    digest("a", { question: "Where?" }),
    digest("a", { answer: [5, 7] }),
    digest("a", {}, { settings: { ...settings, retention: 0.2 } }),
    digest("a", {}, { settings: { ...settings, capMb: 1 } }),
    digest("a", {}, { model: { ...model, versions: { weights: "sha256:2" } } }),
    digest("a", {}, { model: { ...model, kvType: "q8" } }),
  ]);
  expect(new Set(all).size).toBe(all.length);
});

it("has one of the images that a conversation begins with, whatever it asks", async () => {
  const opening = (content?: Content, origin: Partial<CacheOrigin> = {}) =>
    openingDigest({ model, settings, conversation: conversation("a", content), ...origin });
  const same = await opening();
  expect(await opening({ question: "Where?", answer: [7] })).toBe(same);
  const others = await Promise.all([
    opening({ pixels: "others" }),
    opening({}, { settings: { ...settings, policy: "full" } }),
    opening({}, { model: { ...model, kvType: "q8" } }),
    digest("a"),
  ]);
  expect(others).not.toContain(same);
});
