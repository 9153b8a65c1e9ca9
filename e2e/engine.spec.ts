import { expect, type Page } from "@playwright/test";
import { EnginePage, must } from "../cli/shared/enginePage";
import reference from "../fixtures/vision/reference.json" with { type: "json" };
import type { Notice } from "../src/protocol/notice";
import type { Turn } from "../src/protocol/request";
import { test } from "./test";

/** Rows per KV head are allocated in steps of this many. */
const KV_BLOCK = 64;
const capacity = (rows: number) => Math.ceil(rows / KV_BLOCK) * KV_BLOCK;

const shown: Turn = { images: ["picture"], question: "What is shown in this image?" };
const text = (question: string): Turn => ({ images: [], question });

/** A small random model of 3 layers with 5 tiles of 16 rows per image. */
const MODEL = "models/tiny-smolvlm/";

let engine: EnginePage;

test.describe("one conversation", () => {
  let page: Page;

  test.beforeAll(async ({ browser }) => {
    page = await browser.newPage();
    engine = await EnginePage.open(page);
    engine.addImage("picture", "fixtures/vision/picture.png");
  });

  test.beforeEach(async () => {
    must(await engine.load(MODEL));
    await engine.heard();
  });

  test.afterAll(() => page.close());

  test("compresses what it prefilled, and reports what is really held", async () => {
    const info = must(await engine.load(MODEL, { kvType: "f32" }));
    expect(info).toMatchObject({ layers: 3, kvHeads: 2, headDim: 16, kvType: "f32" });
    expect(info.bytesPerRow).toBe(3 * 2 * 2 * 16 * 4);
    await engine.heard();
    const settings = { policy: "aircache", retention: 0.25 };
    const result = must(await engine.ask({ turns: [shown], settings }));
    const { layers, kvBytes, images, tokenIds } = result;
    expect(result).toMatchObject({ promptTokens: 111, visualTokens: 80, appended: false });
    expect(layers.map(({ rowsBefore }) => rowsBefore)).toEqual([111, 111, 111]);
    const kept = layers.map(({ rowsAfter }) => rowsAfter);
    expect(kept.reduce((a, b) => a + b, 0)).toBe(3 * 31 + Math.round(0.25 * 80 * 3));

    // A layer's bytes: two heads of 16 f32 elements, keys and values.
    const bytes = (rows: readonly number[]) =>
      rows.reduce((sum, count) => sum + capacity(count) * 2 * 2 * 16 * 4, 0);
    expect(kvBytes.before).toBe(bytes([111, 111, 111]));
    expect(kvBytes.after).toBe(bytes(kept));
    expect(kvBytes.end).toBe(bytes(kept.map((rows) => rows + tokenIds.length)));
    expect(kvBytes.full).toBe(bytes([111, 111, 111].map((rows) => rows + tokenIds.length)));
    expect(kvBytes.peak).toBeGreaterThanOrEqual(kvBytes.before);
    expect((await engine.memory()).kv).toBe(kvBytes.end);

    for (const layer of layers) {
      expect(layer.kept).toHaveLength(layer.rowsAfter);
      expect(layer.kept).toEqual([...new Set(layer.kept)].sort((a, b) => a - b));
    }
    const [layout] = images;
    expect(layout).toMatchObject({ image: "picture", width: 96, height: 64 });
    expect(layout?.tiles.map(({ firstPosition }) => firstPosition)).toEqual([5, 23, 42, 60, 80]);
    expect(layout?.tiles.map(({ gridRows, gridColumns }) => gridRows * gridColumns)).toEqual(
      Array.from({ length: 5 }, () => 16),
    );

    const events = await engine.heard();
    const stages = events.flatMap((event) => (event.type === "stage" ? [event.stage] : []));
    expect([...new Set(stages)]).toEqual([
      "vision",
      "prefill",
      "score",
      "plan",
      "compact",
      "decode",
    ]);
    const marks = events.flatMap((event) => (event.type === "memory" ? [event.mark ?? ""] : []));
    expect(marks.filter(Boolean)).toEqual(["prefill", "compact", "end"]);
    const tokens = events.flatMap((event) => (event.type === "token" ? [event] : []));
    expect(tokens.map(({ id }) => id)).toEqual(tokenIds);
    expect(
      tokens
        .map((token) => token.text)
        .join("")
        .trimEnd(),
    ).toBe(result.answer);
  });

  test("gives PyTorch's greedy tokens, from the picture's file to the last token", async () => {
    must(await engine.load(MODEL, { kvType: "f32" }));
    const { tokenIds } = must(await engine.ask({ turns: [shown] }));
    expect(tokenIds).toEqual(reference.greedyIds);
  });

  test("holds a share of the whole prompt while it decodes", async () => {
    for (const policy of ["streaming", "h2o", "tgvkv"]) {
      const settings = { policy, retention: 0.5, scope: "prompt" } as const;
      const sampling = { maxNewTokens: 80 };
      const first = must(await engine.ask({ turns: [shown], settings, sampling }));
      const kept = first.layers.reduce((sum, { rowsAfter }) => sum + capacity(rowsAfter), 0);
      expect(first.kvBytes.end, policy).toBeLessThanOrEqual((kept + 3 * 64) * 2 * 2 * 16 * 2);
      expect(first.kvBytes.full, policy).toBeGreaterThan(first.kvBytes.end);
      const turns = [{ ...shown, answerIds: first.tokenIds }, text("Why?")];
      expect(must(await engine.ask({ turns, settings })).appended, policy).toBe(true);
      await engine.clear();
      expect((await engine.memory()).kv, policy).toBe(0);
    }
  });

  test("appends a second question to the cache, with the tokens of a prefill of everything", async () => {
    const first = must(await engine.ask({ turns: [shown] }));
    const turns = [{ ...shown, answerIds: first.tokenIds }, text("How many objects are there?")];
    await engine.heard();
    const appended = must(await engine.ask({ turns }));
    const stages = (await engine.heard()).flatMap((e) => (e.type === "stage" ? [e.stage] : []));
    expect(appended.appended).toBe(true);
    expect(appended.visualTokens).toBe(0);
    expect(appended.promptTokens).toBeLessThan(40);
    expect(appended.layers[0]?.rowsBefore).toBe(
      first.promptTokens + first.tokenIds.length + appended.promptTokens,
    );
    expect(stages.filter((stage) => stage === "vision")).toHaveLength(1);

    const fresh = must(await engine.ask({ turns, fresh: true }));
    expect(fresh.appended).toBe(false);
    expect(fresh.promptTokens).toBe(appended.layers[0]?.rowsBefore);
    expect(fresh.tokenIds).toEqual(appended.tokenIds);
    expect(fresh.kvBytes.end).toBe(appended.kvBytes.end);
  });

  test("keeps a compressed cache for the same settings and prefills anew for others", async () => {
    const settings = { policy: "streaming", retention: 0.3 };
    const first = must(await engine.ask({ turns: [shown], settings }));
    const turns = [{ ...shown, answerIds: first.tokenIds }, text("Why?")];
    const next = must(await engine.ask({ turns, settings }));
    expect(next.appended).toBe(true);
    for (const [layer, { kept }] of next.layers.entries()) {
      const before = first.layers[layer]?.kept ?? [];
      expect(kept.slice(0, before.length)).toEqual(before);
      const added = first.tokenIds.length + next.promptTokens;
      expect(kept.length).toBe(before.length + added);
    }
    const other = must(await engine.ask({ turns, settings: { ...settings, retention: 0.6 } }));
    expect(other.appended).toBe(false);
    expect(other.promptTokens).toBe(111 + first.tokenIds.length + next.promptTokens);
  });

  test("counts positions as a release does, if asked to", async () => {
    const ask = async (positions: string) => {
      const settings = { policy: "uniform", retention: 0.3, options: { positions } };
      const sampling = { maxNewTokens: 24 };
      const first = must(await engine.ask({ turns: [shown], settings, sampling }));
      const turns = [{ ...shown, answerIds: first.tokenIds }, text("Why?")];
      const next = must(await engine.ask({ turns, settings, sampling }));
      expect(next.appended).toBe(true);
      await engine.clear();
      return [first.tokenIds, next.tokenIds];
    };
    const original = await ask("original");
    const [layer0, index] = [await ask("layer0Length"), await ask("cacheIndex")];
    expect(layer0).not.toEqual(original);
    expect(index).not.toEqual(original);
    expect(index).not.toEqual(layer0);
  });

  test("keeps the answer so far when it is stopped, and goes on from there", async () => {
    const sampling = { maxNewTokens: 400 };
    const stopAt = { type: "token", count: 5 } as const;
    const stopped = must(await engine.ask({ turns: [shown], sampling, stopAt }));
    expect(stopped.finish).toBe("cancelled");
    expect(stopped.tokenIds.length).toBeGreaterThanOrEqual(5);
    expect(stopped.tokenIds.length).toBeLessThan(400);
    const rows = 111 + stopped.tokenIds.length;
    expect((await engine.memory()).kv).toBe(capacity(rows) * 3 * 2 * 2 * 16 * 2);

    const turns = [{ ...shown, answerIds: stopped.tokenIds }, text("And then?")];
    const next = must(await engine.ask({ turns }));
    expect(next.appended).toBe(true);
    expect(must(await engine.ask({ turns, fresh: true })).tokenIds).toEqual(next.tokenIds);
  });

  test("a stop while it prefills leaves nothing behind", async () => {
    must(await engine.load(MODEL, { chunkRows: 8 }));
    must(await engine.ask({ turns: [text("Hello?")] }));
    await engine.clear();
    const idle = await engine.memory();
    const stopAt = { type: "stage", count: 3 } as const;
    const stopped = must(await engine.ask({ turns: [shown], stopAt }));
    expect(stopped).toMatchObject({ finish: "cancelled", tokenIds: [], answer: "" });
    expect((await engine.memory()).kv).toBe(0);
    await engine.clear();
    expect(await engine.memory()).toEqual(idle);
    expect(must(await engine.ask({ turns: [shown] })).tokenIds).toHaveLength(12);
  });

  test("five conversations of four questions leave the ledger where the first one left it", async () => {
    const settings = { policy: "h2o", retention: 0.4 };
    let cleared: unknown;
    for (let conversation = 0; conversation < 5; conversation++) {
      let turns: Turn[] = [shown];
      let rows = 0;
      for (const question of ["How many?", "Which color?", "Where?", ""]) {
        const result = must(await engine.ask({ turns, settings }));
        rows = result.layers.reduce((sum, { rowsAfter }) => {
          return sum + capacity(rowsAfter + result.tokenIds.length);
        }, 0);
        expect((await engine.memory()).kv).toBe(rows * 2 * 2 * 16 * 2);
        const last = turns.at(-1) as Turn;
        turns = [...turns.slice(0, -1), { ...last, answerIds: result.tokenIds }, text(question)];
      }
      await engine.clear();
      cleared ??= await engine.memory();
      expect(await engine.memory()).toEqual(cleared);
    }
  });

  test("a cap holds for a whole conversation of many pictures, whatever the policy", async () => {
    const capMb = 0.55;
    for (const policy of ["full", "aircache", "snapkv"]) {
      const settings = { policy, retention: 0.9, capMb };
      const sampling = { maxNewTokens: 8 };
      let turns: Turn[] = [];
      let isShrunk = false;
      for (let i = 0; i < 30; i++) {
        turns = [...turns, i % 3 === 0 ? shown : text("How many objects are there?")];
        const result = must(await engine.ask({ turns, settings, sampling }));
        expect(result.kvBytes.peak, `${policy} ${i}`).toBeLessThanOrEqual(capMb * 1e6);
        expect(result.finish, `${policy} ${i}`).not.toBe("memory");
        expect(result.appended, `${policy} ${i}`).toBe(i > 0);
        isShrunk ||= result.notices.some((notice) => (notice as Notice).code === "earlierDropped");
        turns = [...turns.slice(0, -1), { ...(turns.at(-1) as Turn), answerIds: result.tokenIds }];
      }
      expect(isShrunk, policy).toBe(true);
      const fresh = { turns: [...turns, text("And all in all?")], settings, sampling, fresh: true };
      const again = must(await engine.ask(fresh));
      expect(again.appended).toBe(false);
      expect(again.kvBytes.peak, policy).toBeLessThanOrEqual(capMb * 1e6);
      await engine.clear();
    }
    const { failure } = await engine.ask({ turns: [shown], settings: { capMb: 0.05 } });
    expect(failure).toMatchObject({ code: "capTooSmall" });
    const needed = Number(/needs ([\d.]+) MB/.exec(failure?.message ?? "")?.[1]);
    expect(failure?.neededMb).toBe(needed);
    const settings = { capMb: needed };
    const just = must(await engine.ask({ turns: [shown], settings }));
    expect(just.kvBytes.peak).toBeLessThanOrEqual(needed * 1e6);
  });

  test("previews another retention from the recorded attention, without running the model", async () => {
    const asked = must(
      await engine.ask({ turns: [shown], settings: { policy: "snapkv", retention: 0.5 } }),
    );
    await engine.heard();
    const same = must(await engine.preview({ policy: "snapkv", retention: 0.5 }));
    expect(same.layers.map(({ kept }) => kept)).toEqual(asked.layers.map(({ kept }) => kept));
    expect(same.kvBytes).toBe(asked.kvBytes.after);
    const less = must(await engine.preview({ policy: "snapkv", retention: 0.1 }));
    expect(less.layers.reduce((sum, { rows }) => sum + rows, 0)).toBe(3 * 31 + 24);
    must(await engine.preview({ policy: "streaming", retention: 0.2 }));
    expect((await engine.preview({ policy: "aircache", retention: 0.2 })).failure?.code).toBe(
      "badRequest",
    );
    expect(await engine.heard()).toEqual([]);
  });

  test("compares lanes from one prefill, each as if it had been asked alone", async () => {
    const lanes = [
      { policy: "snapkv", retention: 0.3 },
      { policy: "full", retention: 1 },
      { policy: "aircache", retention: 0.2 },
      { policy: "elastic", retention: 0.3 },
    ];
    const alone = [];
    for (const settings of lanes) {
      alone.push(must(await engine.ask({ turns: [shown], settings, fresh: true })));
    }
    await engine.heard();
    const outcomes = must(await engine.compare({ turns: [shown], lanes }));
    const results = outcomes.map(({ result }) => result);
    for (const [lane, result] of results.entries()) {
      expect(result?.tokenIds, lanes[lane]?.policy).toEqual(alone[lane]?.tokenIds);
      expect(result?.layers, lanes[lane]?.policy).toEqual(alone[lane]?.layers);
      expect(result?.kvBytes.end).toBe(alone[lane]?.kvBytes.end);
    }
    const events = await engine.heard();
    const prefills = events.filter((e) => e.type === "stage" && e.stage === "prefill" && !e.done);
    expect(prefills).toHaveLength(1);
    const tokens = events.flatMap((e) => (e.type === "token" ? [e] : []));
    for (const [lane, result] of results.entries()) {
      expect(tokens.filter((t) => t.lane === lane).map(({ id }) => id)).toEqual(result?.tokenIds);
    }

    // The conversation continues from the first lane; the others are freed.
    expect((await engine.memory()).kv).toBe(results[0]?.kvBytes.end);
    const turns = [{ ...shown, answerIds: results[0]?.tokenIds ?? [] }, text("Why?")];
    const next = must(await engine.ask({ turns, settings: lanes[0] as object }));
    expect(next.appended).toBe(true);
    await engine.clear();
    expect((await engine.memory()).kv).toBe(0);
  });

  test("says which lane does not fit, and answers the others", async () => {
    const lanes = [
      { policy: "full", retention: 1, capMb: 0.1 },
      { policy: "streaming", retention: 0.1, capMb: 0.1 },
    ];
    const [first, second] = must(await engine.compare({ turns: [shown], lanes }));
    expect([first, second].filter((lane) => lane?.failure?.code === "capTooSmall")).toHaveLength(1);
    expect([first, second].filter((lane) => lane?.result)).toHaveLength(1);
    expect((await engine.compare({ turns: [shown], lanes: [{}] })).failure?.code).toBe(
      "badRequest",
    );
  });

  test("the same seed gives the same tokens, another one others", async () => {
    const ask = async (seed: number) => {
      const sampling = { temperature: 1, topK: 50, topP: 0.95, seed, maxNewTokens: 16 };
      return must(await engine.ask({ turns: [shown], sampling, fresh: true })).tokenIds;
    };
    const once = await ask(7);
    expect(await ask(7)).toEqual(once);
    expect(await ask(8)).not.toEqual(once);
  });

  test("runs into its context, and says so", async () => {
    const long = text("word ".repeat(2000));
    const refused = await engine.ask({ turns: [long] });
    expect(refused.failure).toMatchObject({ code: "contextOverflow", action: "newConversation" });
    expect((await engine.memory()).kv).toBe(0);
    const fits = text("a".repeat(1900));
    const full = must(await engine.ask({ turns: [fits], sampling: { maxNewTokens: 2000 } }));
    expect(full.promptTokens).toBeGreaterThan(900);
    if (full.finish === "context") {
      expect(full.promptTokens + full.tokenIds.length).toBe(2048);
    }
  });

  test.describe("requests that make no sense", () => {
    test("get one sentence each and leave the conversation alone", async () => {
      const first = must(await engine.ask({ turns: [shown] }));
      const before = await engine.memory();
      const follow = { ...shown, answerIds: first.tokenIds };
      const wrong = [
        [{ turns: [follow, text("  ")] }, /no question/i],
        [{ turns: [] }, /no question/i],
        [{ turns: [shown, text("And?")] }, /no answer/],
        [{ turns: [{ ...shown, images: ["nothing"] }] }, /nothing/],
        [{ turns: [shown], settings: { policy: "magic" } }, /magic/],
        [{ turns: [shown], settings: { retention: 0 } }, /retention/i],
        [{ turns: [shown], settings: { policy: "aircache", options: { alpha: 2 } } }, /alpha/],
        [{ turns: [shown], sampling: { maxNewTokens: 0 } }, /token/],
        [{ turns: [shown], sampling: { topP: 0 } }, /top-p/i],
        [{ turns: [{ ...shown, answerIds: [999] }, text("So?")] }, /ids/],
      ] as const;
      for (const [question, sentence] of wrong) {
        const { failure } = await engine.ask(question);
        expect(failure, `${sentence}`).toMatchObject({ code: "badRequest" });
        expect(failure?.message).toMatch(sentence);
      }
      expect(await engine.memory()).toEqual(before);
      const next = must(await engine.ask({ turns: [follow, text("Why?")] }));
      expect(next.appended).toBe(true);
    });
  });
});

test.describe("the embedded model", () => {
  let page: Page;

  test.beforeAll(async ({ browser }) => {
    page = await browser.newPage();
    engine = await EnginePage.open(page);
    engine.addImage("receipt", "fixtures/images/receipt.png");
    const info = must(await engine.load("models/keepsight-mini/"));
    expect(info).toMatchObject({ layers: 8, elementType: "f16", kvType: "f16", bytesPerRow: 4096 });
  });

  test.afterAll(() => page.close());

  test("reads a receipt, and a second question costs no second picture", async () => {
    const total = { images: ["receipt"], question: "What is the total?" };
    const first = must(await engine.ask({ turns: [total] }));
    expect(first).toMatchObject({ answer: "$94.09", finish: "stop", visualTokens: 576 });
    const steps = async (stage: string) =>
      (await engine.heard()).flatMap((event) =>
        event.type === "stage" && event.stage === stage ? [event.done] : [],
      );
    expect(await steps("vision")).toEqual([0, 1]); // one picture was encoded
    const turns = [{ ...total, answerIds: first.tokenIds }, text("What is the date?")];
    const second = must(await engine.ask({ turns, sampling: { maxNewTokens: 16 } }));
    expect(second.appended).toBe(true);
    expect(second.promptTokens).toBeLessThan(24);
    expect(await steps("vision")).toEqual([0]);
    expect(second.answer).not.toBe("");
  });

  test("stops within two tokens of hearing of it", async () => {
    const sampling = { maxNewTokens: 200, temperature: 20 };
    const stopAt = { type: "token", count: 4 } as const;
    const stopped = must(await engine.ask({ turns: [text("Go on.")], sampling, stopAt }));
    expect(stopped.finish).toBe("cancelled");
    expect(stopped.tokenIds.length).toBeLessThanOrEqual(4 + 2);
  });
});
