import { expect, it } from "vitest";
import { POLICIES } from "@/compression/registry";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, CacheSettings, Turn } from "@/protocol/request";
import type { ReferenceAnswer, TurnResult } from "@/protocol/result";
import { createTestEngine, pictureFile } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";
import { diskUrl } from "../../test/files";
import { unpackCache } from "./session/storedCache";

const MODEL = diskUrl(`${FAMILY_FIXTURES}/smolvlm2`);
const SETTINGS: CacheSettings = {
  policy: "snapkv",
  retention: 0.8,
  scope: "visual",
  options: {},
};
const FULL: CacheSettings = { ...SETTINGS, policy: "full", retention: 1 };
const SHARE = 0.25;

/** @param isFresh the conversation is prefilled from its beginning */
function asked(
  turns: readonly Turn[],
  settings: CacheSettings,
  { isFresh = false, newTokens = 6 } = {},
): AskRequest {
  return {
    turns,
    images: { a: pictureFile("busy") },
    settings,
    sampling: greedy(newTokens),
    fresh: isFresh,
    reference: true,
  };
}

/** Rows of the n-th image that a result holds, over all layers and heads, and how many it had. */
function imageRows({ layers, images }: TurnResult, place: number, kvHeads: number) {
  const tiles = images[place]!.tiles.map(({ firstPosition, gridRows, gridColumns }) => {
    return { start: firstPosition, end: firstPosition + gridRows * gridColumns };
  });
  const isIts = (position: number) =>
    tiles.some(({ start, end }) => position >= start && position < end);
  const held = layers.flatMap(({ kept, keptPerHead }) =>
    (keptPerHead ?? Array.from({ length: kvHeads }, () => kept)).map(
      (list) => list.filter(isIts).length,
    ),
  );
  const each = tiles.reduce((sum, { start, end }) => sum + end - start, 0);
  return { held: held.reduce((sum, count) => sum + count, 0), full: each * held.length };
}

const engine = createTestEngine();

/** [layer][head]: positions of the prompt's rows that a result says are cached at the end. */
function toldPositions({ layers }: TurnResult, kvHeads: number) {
  return layers.map(({ kept, keptPerHead, keptEnd }) => {
    const lists = keptEnd ?? keptPerHead ?? [kept];
    return Array.from({ length: kvHeads }, (_, head) => lists[head] ?? lists[0]!);
  });
}

/** The same of the cache itself. */
async function heldPositions(answerTokens: number) {
  const { snapshot } = (await unpackCache((await engine.saveCache())!))!;
  const { positions, shape, tokens } = snapshot.header;
  const isOfPrompt = (position: number) => position < tokens.seen - answerTokens;
  return positions.map((lists) =>
    Array.from({ length: shape.kvHeads }, (_, head) =>
      (lists[head] ?? lists[0]!).filter(isOfPrompt),
    ),
  );
}

/** Megabytes that the refusal of a full cache names. */
async function enoughFor(turns: readonly Turn[]): Promise<number> {
  const refused = engine.ask(asked(turns, { ...FULL, capMb: 1e-3 }, { isFresh: true }));
  const { failure } = await refused.then(() => undefined).catch((error) => error);
  return failure.neededMb as number;
}

it("keeps less of earlier images, once, and compares with the full cache all the same", async () => {
  const { kvHeads } = await engine.load({ baseUrl: MODEL });
  const shown = { images: ["a"], question: "What is shown in this image?" };
  const first = await engine.ask(asked([shown], SETTINGS));
  const turns: Turn[] = [{ ...shown, answerIds: first.tokenIds }, shown];
  const less = { ...SETTINGS, earlierRetention: SHARE };

  const second = await engine.ask(asked(turns, less));
  expect(second.appended).toBe(true);
  expect(second.notices).toContainEqual({ code: "earlierReduced", percent: 100 * SHARE });
  const [earlier, own] = [0, 1].map((place) => imageRows(second, place, kvHeads));
  expect(earlier!.held).toBeLessThanOrEqual(SHARE * earlier!.full);
  expect(earlier!.held).toBeGreaterThan(0.9 * SHARE * earlier!.full);
  expect(own!.held).toBeGreaterThan(0.75 * own!.full);

  const { result, source } = second.reference as ReferenceAnswer;
  const whole = await engine.ask(asked(turns, FULL, { isFresh: true }));
  expect(source).toBe("prefill");
  expect(result.tokenIds).toEqual(whole.tokenIds);
  expect(whole.reference).toBeUndefined();

  // The same cache from the beginning: every turn is compressed before the next one.
  const again = await engine.ask(asked(turns, less, { isFresh: true }));
  expect(again.appended).toBe(false);
  expect(imageRows(again, 0, kvHeads)).toEqual(earlier);
  expect(again.kvBytes.end).toBeLessThan(whole.kvBytes.end);

  // A third question finds that no more than the share is left.
  const third = { images: [], question: "Why?" };
  const later = [...turns.slice(0, 1), { ...shown, answerIds: again.tokenIds }, third];
  const last = await engine.ask(asked(later, { ...less, earlierRetention: 0.9 }));
  expect(last.appended).toBe(true);
  expect(last.notices).not.toContainEqual(expect.objectContaining({ code: "earlierReduced" }));
  expect(imageRows(last, 0, kvHeads)).toEqual(earlier);

  // The full cache without rows of earlier images is no full cache.
  const partly = await engine.ask(
    asked(turns, { ...FULL, earlierRetention: SHARE }, { isFresh: true }),
  );
  expect(partly.reference).toMatchObject({ source: "prefill" });

  // Lanes with such a share are questions of their own; the next question goes on from the first one's cache.
  const { settings: _, fresh: __, ...question } = asked(turns, less);
  let kv = 0;
  const unsubscribe = engine.subscribe((event) => {
    if (event.type === "memory") kv = event.pools.kv;
  });
  const lanes = await engine.compare({ ...question, lanes: [less, FULL] });
  expect(kv).toBe(lanes[0]!.result!.kvBytes.end);
  unsubscribe();
  expect(lanes.map(({ result }) => result?.tokenIds)).toEqual([again.tokenIds, whole.tokenIds]);
  expect(imageRows(lanes[0]!.result!, 0, kvHeads)).toEqual(earlier);
  expect(lanes[1]!.result!.reference).toBeUndefined();
  const judged = await engine.compare({ ...question, lanes: [less, SETTINGS] });
  for (const { result: lane } of judged) {
    expect((lane!.reference as ReferenceAnswer).result.tokenIds).toEqual(whole.tokenIds);
  }
  expect((await engine.ask(asked(later, less))).appended).toBe(true);
});

it("gives up rows of earlier turns as an answer grows, and none for a short one", async () => {
  const { kvHeads } = await engine.load({ baseUrl: MODEL });
  const shown = { images: ["a"], question: "What is shown in this image?" };
  const turns: Turn[] = [
    { ...shown, answerText: "Shapes." },
    { images: [], question: "Why?" },
  ];
  const capMb = await enoughFor(turns);
  const askWithin = (newTokens: number) =>
    engine.ask(asked(turns, { ...SETTINGS, capMb }, { isFresh: true, newTokens }));
  const dropped = ({ layers, tokenIds }: TurnResult) =>
    layers.map(({ rowsAfter, rowsEnd = 0 }) => rowsAfter + tokenIds.length - rowsEnd);
  const none = dropped(await askWithin(1));
  expect(none).toEqual(none.map(() => 0));

  const long = await askWithin(120);
  expect(long.finish).toBe("length");
  expect(Math.min(...dropped(long))).toBeGreaterThan(0);
  expect(long.notices).toContainEqual(expect.objectContaining({ code: "earlierDropped" }));
  expect(long.kvBytes.peak).toBeLessThanOrEqual(capMb * 1e6);
  expect(toldPositions(long, kvHeads)).toEqual(await heldPositions(long.tokenIds.length));
  expect(long.layers[0]!.keptEnd![0]!.length).toBeLessThan(long.layers[0]!.kept.length);

  const unsubscribe = engine.subscribe((event) => {
    if (event.type === "token") void engine.cancel();
  });
  const stopped = await askWithin(120);
  unsubscribe();
  expect(stopped.finish).toBe("cancelled");
  expect(dropped(stopped)).toEqual(none);
  expect(stopped.notices).not.toContainEqual(expect.objectContaining({ code: "earlierDropped" }));
});

it("gives up rows of images larger than the cap as its answer grows", async () => {
  const { kvHeads } = await engine.load({ baseUrl: MODEL, kvType: "f32" });
  const turns = [{ images: ["a", "a", "a"], question: "What is shown in this image?" }];
  const capMb = 0.08;
  const askFor = (newTokens: number) =>
    engine.ask(asked(turns, { ...SETTINGS, capMb }, { isFresh: true, newTokens }));
  const short = await askFor(32);
  expect(short.notices).toContainEqual({ code: "pieces", rows: expect.any(Number) });
  expect(short.layers.every(({ keptEnd }) => keptEnd === undefined)).toBe(true);

  const long = await askFor(100);
  expect(long.finish).toBe("length");
  expect(long.tokenIds).toHaveLength(100);
  expect(long.notices).toContainEqual({ code: "imageDropped", megabytes: capMb });
  expect(long.kvBytes.peak).toBeLessThanOrEqual(capMb * 1e6);
  expect(long.kvBytes.end).toBeLessThanOrEqual(capMb * 1e6);
  expect(long.layers.map(({ kept }) => kept)).toEqual(short.layers.map(({ kept }) => kept));
  expect(toldPositions(long, kvHeads)).toEqual(await heldPositions(100));
  expect(long.layers[0]!.keptEnd![0]!.length).toBeLessThan(long.layers[0]!.kept.length);
});

it("tells which rows a rule has evicted while the answer was decoded", async () => {
  const { kvHeads } = await engine.load({ baseUrl: MODEL });
  const turns = [{ images: ["a"], question: "What is shown in this image?" }];
  for (const policy of ["h2o", "streaming"]) {
    const settings = { ...SETTINGS, policy, retention: 0.3, scope: "prompt" as const };
    const result = await engine.ask(asked(turns, settings, { isFresh: true, newTokens: 30 }));
    const { length } = result.tokenIds;
    expect(
      result.layers.every(({ keptEnd }) => keptEnd),
      policy,
    ).toBe(true);
    expect(toldPositions(result, kvHeads), policy).toEqual(await heldPositions(length));
  }
});

it("re-ranks an image that was read in pieces by each policy's own scores", async () => {
  await engine.load({ baseUrl: MODEL, kvType: "f32" });
  const turns = [{ images: ["a"], question: "What is shown in this image?" }];
  const capMb = 0.04;
  const policies = POLICIES.filter(({ id, beforePrefill }) => id !== "full" && !beforePrefill);
  for (const { id } of policies) {
    const settings = { ...SETTINGS, policy: id, retention: 0.5, capMb };
    const result = await engine.ask(asked(turns, settings, { isFresh: true }));
    expect(result.notices, id).toContainEqual({ code: "pieces", rows: expect.any(Number) });
    expect(result.kvBytes.peak, id).toBeLessThanOrEqual(capMb * 1e6);
    expect(result.tokenIds.length, id).toBeGreaterThan(0);
    // What AirCache's own plan reports: it ranked by its elite tokens.
    if (id === "aircache") expect(result.notes.strength).toHaveLength(result.layers.length);
  }
});

it("keeps a policy's share of each turn's image that was read in pieces, whatever other turns show", async () => {
  const { kvHeads } = await engine.load({ baseUrl: MODEL, kvType: "f32" });
  const shown = { images: ["a"], question: "What is shown in this image?" };
  const turns = [{ ...shown, answerText: "Shapes." }, shown];
  const settings = { ...SETTINGS, retention: 0.1, capMb: 0.05 };
  const result = await engine.ask(asked(turns, settings, { isFresh: true }));
  expect(result.notices).toContainEqual({ code: "pieces", rows: expect.any(Number) });
  const { held, full } = imageRows(result, 1, kvHeads);
  expect(held / full).toBeCloseTo(settings.retention, 1.5);
});

it("a full cache that is refused names a cap under which no row of any turn is dropped", async () => {
  await engine.load({ baseUrl: diskUrl("fixtures/families/smolvlm2") });
  const first = { images: ["a"], question: "What is shown in this image?" };
  const turns: Turn[] = [
    { ...first, answerText: "Shapes." },
    { images: [], question: "Why?" },
  ];
  const whole = await engine.ask(asked(turns, FULL, { isFresh: true }));
  const capMb = await enoughFor(turns);
  const raised = await engine.ask(asked(turns, { ...FULL, capMb }, { isFresh: true }));
  expect(raised.kvBytes.peak).toBeLessThanOrEqual(capMb * 1e6);
  expect(raised.notices).toEqual([]);
  expect(raised.tokenIds).toEqual(whole.tokenIds);
  expect(raised.kvBytes.end).toBe(whole.kvBytes.end);
});
