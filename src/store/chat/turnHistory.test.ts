import { expect, test } from "vitest";
import type { CacheSettings } from "@/protocol/request";
import { result } from "../app/testing";
import { type Attempt, type Exchange, emptyConversation } from "../conversation/conversation";
import { standingAttempts, turnHistory } from "./turnHistory";

const settings = (policy: string): CacheSettings => ({
  policy,
  retention: 0.1,
  scope: "visual",
  options: {},
});
const answered = (id: string, policy: string, end: number, ms: number): Attempt => ({
  id,
  settings: settings(policy),
  run: {
    phase: "done",
    result: result({
      kvBytes: { before: 9, after: end, peak: 9, end, full: 8 },
      ms: { ...result().ms, decodePerToken: { median: ms, p95: ms } },
    }),
  },
});
const exchange = (id: string, ...attempts: Attempt[]): Exchange => ({
  id,
  images: [],
  question: id,
  attempts,
});

test("the standing answer of each turn counts, and an unanswered question leaves its number", () => {
  const queued: Attempt = { id: "q", settings: settings("full"), run: { phase: "queued" } };
  const conversation = {
    ...emptyConversation("c", 0),
    exchanges: [
      exchange("a", answered("1", "full", 8, 40), answered("2", "aircache", 2, 30)),
      exchange("b", queued),
      exchange("c", answered("3", "prefixkv", 4, 0)),
    ],
  };
  expect(turnHistory(standingAttempts(conversation))).toEqual([
    { turn: 1, settings: settings("aircache"), kvBytes: 2, fullKvBytes: 8, msPerToken: 30 },
    { turn: 3, settings: settings("prefixkv"), kvBytes: 4, fullKvBytes: 8, msPerToken: undefined },
  ]);
});
