import { expect, type Page } from "@playwright/test";
import { EnginePage, must } from "../cli/shared/enginePage";
import type { Turn } from "../src/protocol/request";
import type { Reference, ReferenceAnswer } from "../src/protocol/result";
import { test } from "./test";

/** A small random model of 3 layers with 5 tiles of 16 rows per image. */
const MODEL = "models/tiny-smolvlm/";
const FULL = { policy: "full", retention: 1 };
const SMALL = { policy: "streaming", retention: 0.1 };

const shown: Turn = { images: ["picture"], question: "What is shown in this image?" };
const next: Turn = { images: [], question: "Why?" };

let page: Page;
let engine: EnginePage;

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  engine = await EnginePage.open(page);
  engine.addImage("picture", "fixtures/vision/picture.png");
  must(await engine.load(MODEL, { kvType: "f32" }));
});
test.beforeEach(() => engine.clear());
test.afterAll(() => page.close());

test("a reference gives the full cache's tokens, in a second turn too, and is freed", async () => {
  const full = must(await engine.ask({ turns: [shown], settings: FULL }));
  await engine.clear();
  await engine.heard();
  const asked = { turns: [shown], settings: SMALL };
  const alone = must(await engine.ask({ ...asked, fresh: true }));
  await engine.clear();
  await engine.heard();

  const first = must(await engine.ask({ ...asked, reference: true }));
  const one = answered(first.reference);
  expect(one).toMatchObject({ source: "fork", result: { retention: 1, appended: false } });
  expect(one.result.tokenIds).toEqual(full.tokenIds);
  expect(one.result.kvBytes.end).toBe(full.kvBytes.end);
  expect(one.result.layers.every(({ rowsAfter }) => rowsAfter === 111)).toBe(true);

  // The compressed answer and its bytes are those without a reference.
  expect(first.tokenIds).toEqual(alone.tokenIds);
  expect(first.tokenIds).not.toEqual(full.tokenIds);
  expect(first.kvBytes).toMatchObject({
    before: alone.kvBytes.before,
    after: alone.kvBytes.after,
    end: alone.kvBytes.end,
    full: alone.kvBytes.full,
  });
  expect(first.layers).toEqual(alone.layers);
  expect(one.peakBytes).toBeGreaterThanOrEqual(first.kvBytes.end + one.result.kvBytes.end);
  expect(await engine.memory()).toMatchObject({ kv: first.kvBytes.end, reference: 0 });
  const events = await engine.heard();
  const told = events.findIndex(({ type }) => type === "answered");
  const tokens = events.flatMap((event, at) => (event.type === "token" ? [at] : []));
  expect(tokens).toHaveLength(first.tokenIds.length);
  expect(Math.max(...tokens)).toBeLessThan(told);

  // The second turn is appended; its reference reads the whole conversation again.
  const turns = [{ ...shown, answerIds: first.tokenIds }, next];
  const second = must(await engine.ask({ turns, settings: SMALL, reference: true }));
  expect(second.appended).toBe(true);
  const again = answered(second.reference);
  const anew = must(await engine.ask({ turns, settings: FULL, fresh: true }));
  expect(again.source).toBe("prefill");
  expect(again.result.tokenIds).toEqual(anew.tokenIds);
  expect(again.result.kvBytes.end).toBe(anew.kvBytes.end);
  expect((await engine.memory()).reference).toBe(0);
});

test("there is no reference where nothing was dropped, under a small cap, and after a stop", async () => {
  const reference = true;
  const full = must(await engine.ask({ turns: [shown], settings: FULL, reference }));
  expect(full.reference).toBeUndefined();
  expect(must(await engine.ask({ turns: [next], settings: SMALL, reference })).reference).toBe(
    undefined,
  );
  // A prefill needs 0.131 MB; with its fork beside it, 0.164 MB.
  const capped = { ...SMALL, capMb: 0.14 };
  const held = must(await engine.ask({ turns: [shown], settings: capped, reference }));
  expect(held.reference).toEqual({ missing: "cap" });
  expect(held.kvBytes.peak).toBeLessThanOrEqual(0.14e6);

  const stopAt = { type: "answered", count: 1 } as const;
  const stopped = must(await engine.ask({ turns: [shown], settings: SMALL, reference, stopAt }));
  expect(stopped).toMatchObject({ finish: "length", reference: { missing: "stopped" } });
  expect((await engine.memory()).reference).toBe(0);
});

test("lanes that all compress share one reference", async () => {
  const full = must(await engine.ask({ turns: [shown], settings: FULL, fresh: true }));
  const lanes = [SMALL, { policy: "uniform", retention: 0.2 }];
  const outcomes = must(await engine.compare({ turns: [shown], lanes, reference: true }));
  for (const { result } of outcomes) {
    expect(answered(result?.reference).result.tokenIds).toEqual(full.tokenIds);
  }
  const alone = must(await engine.compare({ turns: [shown], lanes }));
  expect(outcomes.map(({ result }) => result?.tokenIds)).toEqual(
    alone.map(({ result }) => result?.tokenIds),
  );
  expect((await engine.memory()).reference).toBe(0);
});

function answered(reference: Reference | undefined): ReferenceAnswer {
  if (!reference || "missing" in reference) throw new Error(JSON.stringify(reference));
  return reference;
}

test("a prompt larger than the cap is read in pieces, and never exceeds it", async () => {
  // 111 rows take 0.131 MB; under this cap a head holds 64.
  const capMb = 0.07;
  for (const policy of ["snapkv", "aircache", "h2o", "streaming", "tgvkv"]) {
    const settings = { policy, retention: 0.5, capMb };
    const asked = { turns: [shown], settings, reference: true };
    const result = must(await engine.ask(asked));
    expect(result, policy).toMatchObject({ promptTokens: 111, visualTokens: 80, appended: false });
    expect(result.reference, policy).toEqual({ missing: "cap" });
    expect(result.kvBytes.peak, policy).toBeLessThanOrEqual(capMb * 1e6);
    expect(result.kvBytes.end, policy).toBeLessThanOrEqual(result.kvBytes.peak);
    expect(result.tokenIds, policy).toHaveLength(12);
    const isImage = (row: number) =>
      result.images[0]!.tiles.some(({ firstPosition: first }) => row >= first && row < first + 16);
    const text = Array.from({ length: 111 }, (_, row) => row).filter((row) => !isImage(row));
    for (const { kept, rowsBefore } of result.layers) {
      expect(rowsBefore).toBe(111);
      expect(kept.filter((row) => !isImage(row))).toEqual(text);
      expect(kept.filter(isImage).length).toBeGreaterThan(0);
    }
    const turns = [{ ...shown, answerIds: result.tokenIds }, next];
    const sampling = { maxNewTokens: 2 };
    const second = must(await engine.ask({ turns, settings, sampling }));
    expect(second.appended, policy).toBe(true);
    expect(second.kvBytes.peak, policy).toBeLessThanOrEqual(capMb * 1e6);
  }
  // The full cache drops nothing, so it is refused with what it needs.
  const refused = await engine.ask({ turns: [shown], settings: { ...FULL, capMb } });
  expect(refused.failure).toMatchObject({ code: "capTooSmall" });
  expect(must(await engine.ask({ turns: [shown], settings: FULL })).tokenIds).toHaveLength(12);
});
