import { expect, test } from "vitest";
import type { EngineEvent } from "@/protocol/event";
import type { CacheSettings, CompareRequest, Sampling } from "@/protocol/request";
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

const FRAME = { video: "v", seconds: 1, duration: 2 };

/** What a sweep shows and asks while tokens of these lanes arrive. @param retention of the settings */
async function sweptWhile(lanes: readonly number[], retention = 0.5) {
  const exchange = { id: "e", images: [], question: "?" } as unknown as Exchange;
  const image = { id: "i", blob: new Blob(), frame: FRAME };
  let listener: (event: EngineEvent) => void = () => {};
  const requests: CompareRequest[] = [];
  const engine = {
    subscribe: (each: typeof listener) => {
      listener = each;
      return () => {};
    },
    compare: async (request: CompareRequest) => {
      requests.push(request);
      for (const lane of lanes) listener({ type: "token", lane } as EngineEvent);
      return [];
    },
  };
  const chat = {
    store: { getState: () => ({ conversation: { images: [image], exchanges: [exchange] } }) },
    borrow: (work: (own: typeof engine) => Promise<void>) => work(engine),
  } as unknown as Chat;
  const settings = { policy: "full", retention } as CacheSettings;
  const sweep = createSweep(
    chat,
    () => settings,
    () => ({}) as Sampling,
    () => undefined,
  );
  const shown: (readonly number[])[] = [];
  sweep.store.subscribe((state) => {
    if (state.phase === "running") shown.push([state.done, state.total]);
  });
  await sweep.run(exchange);
  return { shown, requests, state: sweep.store.getState() };
}

test("a sweep counts lanes that have ended, one after the other or together", async () => {
  const counts = async (lanes: readonly number[]) => (await sweptWhile(lanes)).shown;
  const three = [0, 1, 2].map((done) => [done, 9]);
  expect(await counts([0, 0, 1, 1, 1, 2, 2])).toEqual(three);
  expect(await counts([0, 1, 2, 0, 1, 2, 0, 2, 0, 2, 0, 0])).toEqual(three);
});

test("a sweep never tells more answers than it asks for, whatever the settings keep", async () => {
  const lanes = Array.from({ length: 20 }, (_, token) => Math.floor(token / 2));
  const { shown, requests } = await sweptWhile(lanes, 0.4);
  expect(requests[0]!.lanes).toHaveLength(10);
  expect(shown.at(-1)).toEqual([9, 10]);
});

test("a sweep asks about the frames of a video as the conversation does", async () => {
  const { requests } = await sweptWhile([0]);
  expect(requests[0]!.frames).toEqual({ i: FRAME });
});

test("a failure names its question: after the next one it is over", async () => {
  const { state } = await sweptWhile([0]);
  expect(state).toMatchObject({ phase: "failed", exchange: "e" });
});
