import { expect, test } from "vitest";
import type { EngineEvent } from "@/protocol/event";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { Exchange } from "../conversation/conversation";
import type { Chat } from "./chat";
import { createSweep, smallestSame } from "./sweep";

const swept = (same: readonly boolean[]) =>
  same.map((isSame, index) => ({ percent: 50 - 10 * index, answer: "", isSame, kvBytes: 0 }));

test.each([
  [[true, true, true], 30],
  [[true, false, true], 50],
  [[false, true, true], 100],
  [[], 100],
])("of %j the smallest share with all larger ones the same is %d", (same, percent) => {
  expect(smallestSame(swept(same))).toBe(percent);
});

/** Counts of ended lanes that a sweep shows while tokens of these lanes arrive. */
async function shownWhile(lanes: readonly number[]): Promise<number[]> {
  const exchange = { id: "e", images: [], question: "?" } as unknown as Exchange;
  let listener: (event: EngineEvent) => void = () => {};
  const engine = {
    subscribe: (each: typeof listener) => {
      listener = each;
      return () => {};
    },
    compare: async () => {
      for (const lane of lanes) listener({ type: "token", lane } as EngineEvent);
      return [];
    },
  };
  const chat = {
    store: { getState: () => ({ conversation: { images: [], exchanges: [exchange] } }) },
    borrow: (work: (own: typeof engine) => Promise<void>) => work(engine),
  } as unknown as Chat;
  const settings = { policy: "full", retention: 0.5 } as CacheSettings;
  const sweep = createSweep(
    chat,
    () => settings,
    () => ({}) as Sampling,
    () => undefined,
  );
  const shown: number[] = [];
  sweep.store.subscribe((state) => {
    if (state.phase === "running") shown.push(state.done);
  });
  await sweep.run(exchange);
  return shown;
}

test("a sweep counts lanes that have ended, one after the other or together", async () => {
  expect(await shownWhile([0, 0, 1, 1, 1, 2, 2])).toEqual([0, 1, 2]);
  expect(await shownWhile([0, 1, 2, 0, 1, 2, 0, 2, 0, 2, 0, 0])).toEqual([0, 1, 2]);
});
