import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Recorder } from "@/gpu/recorder";
import { PLAIN } from "@/gpu/variants";
import type { Decoder } from "@/model/decoder/decoder";
import type { KvCache } from "@/model/kv/cache";
import { greedy } from "@/protocol/defaults";
import { NO_MEMORY } from "@/protocol/event";
import type { AskRequest } from "@/protocol/request";
import { CpuDecoder, openRows } from "../../../test/cpuDecoder";
import { createTestGpu } from "../../../test/dawn";
import { FIXTURES, loadDecoder, prepare } from "../../../test/decoderFixtures";
import { readCache } from "../../../test/kv";
import { checkSettings } from "../request/request";
import type { PreparedTurn } from "../request/turn";
import { compactInPlace } from "../stages/compact";
import { decide } from "../stages/decide";
import { decodeAnswer } from "../stages/decode";
import type { Job, StageContext } from "../stages/job";
import { prefillSegment } from "../stages/prefill";
import { Progress } from "./progress";

const NEW_TOKENS = 6;
const IMAGE_ID = 3;
const NEXT_QUESTION = [17, 400, 23, 999, 5, 31, 100];

const fixture = FIXTURES.find(({ name }) => name === "tiny-6over2-f32")!;
const test = fixture.cases.find(({ rows }) => rows === 600)!;
const [[first, end]] = test.imageSpans as [readonly [number, number]];
const IMAGE = Array.from({ length: end - first }, (_, i) => first + i);

describe("explanations", async () => {
  const gpu = await createTestGpu();
  const cpu = new CpuDecoder(fixture.path);
  const { layers, kvHeads } = cpu.config;
  let decoder: Decoder;
  let prompt: ReturnType<typeof prepare>;
  /** As much of a context as the stages after the images use. */
  let context: StageContext;

  beforeAll(async () => {
    decoder = await loadDecoder(gpu, fixture, PLAIN);
    prompt = prepare(decoder, test);
    const model = {
      gpu,
      decoder,
      variants: PLAIN,
      tokenizer: { decode: (ids: readonly number[]) => ids.map((id) => ` ${id}`).join("") },
      vision: { markup: { imageTokenId: IMAGE_ID } },
      stopIds: [],
      shape: { layers, kvHeads },
    };
    const reporter = { fullKv: 0, mark: () => undefined };
    const io = { emit: () => undefined, check: () => undefined, reporter };
    context = { model, images: undefined, io } as unknown as StageContext;
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => {
    gpu.memory.destroy(prompt.buffer);
    decoder.destroy();
    expect(gpu.memory.bytes).toEqual(NO_MEMORY);
    gpu.device.destroy();
  });

  /** Ids of a first question with its image, and of whatever follows. */
  /** @param rest ids behind the fixture's prompt */
  function jobOf(
    settings: Partial<AskRequest["settings"]>,
    { explain = true, rest = [] as readonly number[] } = {},
  ): Job {
    const ids = [...test.ids];
    for (const row of IMAGE) ids[row] = IMAGE_ID;
    const all = {
      policy: "full",
      retention: 1,
      scope: "visual",
      options: {},
      ...settings,
    } as const;
    const sampling = greedy(NEW_TOKENS);
    const progress = new Progress(explain);
    const turn = {
      ...checkSettings(all),
      request: { sampling },
      tileImages: [{ geometry: { tiles: [{ gridRows: 1, gridColumns: IMAGE.length }] } }],
      prompt: {
        ids: [...ids, ...rest],
        tiles: [{ image: "a", tile: 0, start: first, count: IMAGE.length }],
      },
    };
    const signal = new AbortController().signal;
    return { ...context, turn: turn as unknown as PreparedTurn, progress, signal };
  }

  /** One question through the stages; looks into the cache where the CPU is to start from. */
  async function answer(job: Job, cache: KvCache, decodes = NEW_TOKENS) {
    const segment = { start: cache.seen, end: job.turn.prompt.ids.length };
    const features = segment.start === 0 ? prompt.features : [];
    const prefilled = await prefillSegment(job, {
      cache,
      segment,
      encoded: { images: [], features },
    });
    const uncompressed = await snapshot(cache);
    const { plan, rule } = await decide(job, prefilled);
    await compactInPlace(job, prefilled, plan);
    const compressed = await snapshot(cache);
    await decodeAnswer(job, { prefilled, rule, maxNewTokens: decodes });
    return { plan, uncompressed, compressed };
  }

  async function snapshot(cache: KvCache) {
    const rows = openRows(await readCache(cache));
    const labels = rows.map((heads, layer) => heads.map((_, g) => [...cache.positions(layer, g)]));
    return { rows, labels };
  }

  type Snapshot = Awaited<ReturnType<typeof snapshot>>;

  /** What the CPU sees a token look at: [layers, image]. */
  function lookOf(id: number, position: number, { rows, labels }: Snapshot): Float64Array {
    const line = new Float64Array(layers * IMAGE.length);
    cpu.step(id, position, rows, (layer, perHead) => {
      for (const [head, probabilities] of perHead.entries()) {
        labels[layer]![head]!.push(position);
        for (const [i, label] of labels[layer]![head]!.entries()) {
          const column = IMAGE.indexOf(label);
          if (column >= 0) line[layer * IMAGE.length + column]! += probabilities[i]! / kvHeads;
        }
      }
    });
    return line;
  }

  /** The prompt's last row again, over the rows before it. */
  function lastRowOf({ rows, labels }: Snapshot, id: number): Float64Array {
    const position = labels[0]![0]!.at(-1)!;
    for (const { k, v } of rows.flat()) {
      k.pop();
      v.pop();
    }
    for (const list of labels.flat()) list.pop();
    return lookOf(id, position, { rows, labels });
  }

  function expectBytes(cells: Uint8Array, expected: readonly number[]): void {
    expect(cells).toHaveLength(expected.length);
    for (const [i, share] of expected.entries()) {
      expect(Math.abs(cells[i]! - 255 * Math.sqrt(share))).toBeLessThan(0.5 + 0.01);
    }
    expect(cells.filter((cell) => cell > 0).length).toBeGreaterThan(cells.length / 4);
  }

  it.each([
    ["full", 1],
    ["prefixkv", 0.5],
    ["snapkv", 0.5],
  ])("show what every token of an answer looked at: %s", async (policy, retention) => {
    const job = jobOf({ policy, retention });
    const cache = decoder.createCache();
    const { plan, uncompressed, compressed } = await answer(job, cache);
    cache.destroy();
    const done = job.progress.result({ settings: job.turn.settings });
    const { tokenIds, explanation } = done;
    const { positions, steps, ends, cells } = explanation!.attention!;
    expect(positions).toEqual(IMAGE);
    expect([steps, tokenIds.length]).toEqual([NEW_TOKENS, NEW_TOKENS]);
    expect(ends.at(-1)).toBe(done.answer.length);
    const looks = [lastRowOf(uncompressed, job.turn.prompt.ids.at(-1)!)];
    for (const [i, id] of tokenIds.slice(0, -1).entries()) {
      looks.push(lookOf(id, test.rows + i, compressed));
    }
    expectBytes(
      cells,
      looks.flatMap((look) => [...look]),
    );

    expect(explanation!.importance === undefined).toBe(policy === "full");
    if (!explanation!.importance) return;
    const { scores } = explanation!.importance;
    expect(explanation!.importance.positions).toEqual(IMAGE);
    const { heads, rows, data } = plan.scores!;
    for (const [layer, column] of [
      [0, 3],
      [2, 35],
    ] as const) {
      const of = (head: number) => data[(layer * heads + head) * rows + IMAGE[column]!]!;
      const mean = Array.from({ length: heads }, (_, head) => of(head) / heads);
      const expected = mean.reduce((a, b) => a + b, 0);
      expect(scores[layer * IMAGE.length + column]).toBeCloseTo(expected, 5);
    }
  });

  it("show what a later question looked at in an earlier image", async () => {
    const settings = { policy: "snapkv", retention: 0.5 };
    const cache = decoder.createCache();
    const before = jobOf(settings, { explain: false });
    await answer(before, cache);
    expect(cache.hasHeadLists(0)).toBe(true);
    const job = jobOf(settings, { rest: [...before.progress.ids, ...NEXT_QUESTION] });
    const { uncompressed, compressed } = await answer(job, cache, 2);
    cache.destroy();
    const { explanation, tokenIds } = job.progress.result({ settings: job.turn.settings });
    expect(explanation!.importance).toBeUndefined();
    expect(explanation!.attention!.positions).toEqual(IMAGE);
    const position = job.turn.prompt.ids.length;
    const looks = [
      lastRowOf(uncompressed, NEXT_QUESTION.at(-1)!),
      lookOf(tokenIds[0]!, position, compressed),
    ];
    expectBytes(
      explanation!.attention!.cells,
      looks.flatMap((look) => [...look]),
    );
  });

  it.each([
    ["h2o", "score"],
    ["streaming", "age"],
  ])("leave out rows once %s has evicted them by %s", async (policy) => {
    const job = jobOf({ policy, retention: 0.3, scope: "prompt" });
    const cache = decoder.createCache();
    await answer(job, cache);
    const { attention } = job.progress.result({ settings: job.turn.settings }).explanation!;
    const { steps, cells } = attention!;
    expect(steps).toBe(NEW_TOKENS);
    for (let layer = 0; layer < layers; layer++) {
      const held = new Set(
        Array.from({ length: kvHeads }, (_, g) => cache.positions(layer, g)).flat(),
      );
      const start = ((steps - 1) * layers + layer) * IMAGE.length;
      const seen = IMAGE.filter((_, i) => cells[start + i]! > 0);
      // The last step came before the last eviction: at most one row per head has gone since.
      expect(seen.filter((position) => !held.has(position)).length).toBeLessThanOrEqual(kvHeads);
    }
    cache.destroy();
  });

  it("cost nothing where nobody asks for them", async () => {
    const work = async (explain: boolean) => {
      const dispatch = vi.spyOn(Recorder.prototype, "dispatch");
      const create = vi.spyOn(gpu.memory, "create");
      const job = jobOf({}, { explain });
      const cache = decoder.createCache();
      await answer(job, cache);
      cache.destroy();
      const done = {
        kernels: dispatch.mock.calls.map(([{ label }]) => label),
        buffers: create.mock.calls.map(([, label]) => label),
        result: job.progress.result({ settings: job.turn.settings }),
      };
      vi.restoreAllMocks();
      return done;
    };
    const [asked, unasked] = [await work(true), await work(false)];
    const isOurs = (label: string) => /^(step.attention|tap)/.test(label);
    expect(unasked.kernels.filter(isOurs)).toEqual([]);
    expect(unasked.buffers.filter((label) => /^step.attention/.test(label))).toEqual([]);
    expect(unasked.result.explanation).toBeUndefined();
    // Asked, one kernel per layer joins the frozen program, and nothing else changes.
    expect(asked.kernels.filter((label) => /^step.attention/.test(label))).toHaveLength(layers);
    expect(asked.kernels.filter((label) => !isOurs(label))).toEqual(unasked.kernels);
    expect(asked.result.tokenIds).toEqual(unasked.result.tokenIds);
  });
});
