import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { TapPrompt } from "@/compression/taps/prompt";
import {
  TAPS,
  type TapDefinitions,
  type TapSpec,
  type Taps,
  tapsFromAttention,
} from "@/compression/taps/registry";
import type { PromptAttention, RowScores } from "@/compression/taps/tap";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import { NO_MEMORY } from "@/protocol/event";
import { keyPeak } from "../../../docs/examples/keyPeak";
import { keyPeakTap } from "../../../docs/examples/keyPeakTap";
import { createTestGpu } from "../../../test/dawn";
import { appendRandomRows, type HeadRows, randomFloats, readCache } from "../../../test/kv";
import type { AttentionHook } from "../decoder/hooks";
import { KvCache } from "../kv/cache";
import { compact } from "../kv/compaction";
import type { KvShape, RowCounts } from "../kv/layout";
import { TapRecorder } from "./taps";

/** Probabilities from f32 scores of a few dozen products, summed over up to N rows. */
const TOLERANCE = 2e-5;

const ROWS = 83;
const PROMPT = {
  rows: ROWS,
  visual: [
    { start: 5, end: 21 },
    { start: 23, end: 50 },
  ],
  textStart: 50,
  keys: Uint8Array.from({ length: ROWS }, (_, row) => (row > 2 && row % 7 !== 0 ? 1 : 0)),
};

interface Shape extends KvShape {
  readonly heads: number;
}

const SHAPES: readonly Shape[] = [
  { layers: 2, heads: 6, kvHeads: 2, headDim: 64, kvType: "f32" },
  { layers: 2, heads: 5, kvHeads: 1, headDim: 20, kvType: "f16" },
  { layers: 1, heads: 4, kvHeads: 2, headDim: 64, kvType: "q8" },
  { layers: 1, heads: 2, kvHeads: 1, headDim: 80, kvType: "q4" },
];

/** Every example of every tap, and several taps at once. */
const SPECS: readonly (readonly [string, TapSpec])[] = [
  ...Object.entries<TapDefinitions[string]>(TAPS).flatMap(([name, { examples }]) =>
    examples.map((spec) => [`${name} ${JSON.stringify(spec)}`, { [name]: spec }] as const),
  ),
  [
    "several taps",
    {
      columnSum: true,
      lastRow: true,
      window: { rows: 40, aggregate: "mean", kernel: 1 },
      elite: { window: "elite", alpha: 0.6, perKvHead: false },
      postVision: { threshold: 0.01 },
      textImage: true,
    },
  ],
];

/** The first example of each of the named taps. */
function first(...names: readonly (keyof typeof TAPS)[]): readonly TapSpec[] {
  return names.map((name) => ({ [name]: TAPS[name].examples[0] }));
}

describe("taps", async () => {
  const gpu = await createTestGpu();
  afterAll(() => gpu.device.destroy());
  afterEach(() => {
    expect(gpu.memory.bytes).toEqual(NO_MEMORY);
  });

  /** A cache with rows of an earlier turn, other ones and another number of them in every head. */
  async function secondTurn(shape: Shape): Promise<KvCache> {
    const cache = KvCache.create(gpu, shape);
    appendRandomRows(cache, 30, 1);
    const keep = (head: number) =>
      Uint32Array.from({ length: 9 + 5 * head }, (_, i) => 2 * i + head);
    const layer = { keep: Array.from({ length: shape.kvHeads }, (_, head) => keep(head)) };
    const start = cache.rowCounts().map((counts) => counts.map(() => 0));
    await compact(cache, { layers: Array.from({ length: shape.layers }, () => layer) }, start);
    return cache;
  }

  /** Hands random queries to the recorder in chunks, as a prefill would. */
  function record(
    recorder: AttentionHook,
    attention: Attention,
    chunks: readonly number[],
    cachedRows = 0,
  ): void {
    const { heads, headDim, layers } = attention.shape;
    let firstRow = cachedRows;
    for (const rows of chunks) {
      const commands = gpu.recorder("test");
      const created: GPUBuffer[] = [];
      const upload = (values: Float32Array<ArrayBuffer>): GPUBuffer => {
        const buffer = gpu.memory.storage("activations", "test", values.byteLength);
        gpu.device.queue.writeBuffer(buffer, 0, values);
        created.push(buffer);
        return buffer;
      };
      for (let layer = 0; layer < layers; layer++) {
        const part = (all: Float32Array<ArrayBuffer>, width: number) =>
          upload(all.slice(firstRow * width, (firstRow + rows) * width));
        const q = part(attention.q[layer]!, heads * headDim);
        const lse = part(attention.lse[layer]!, heads);
        const computed = { layer, firstRow: firstRow - cachedRows, rows, q, lse };
        recorder.afterAttention(commands, computed);
      }
      commands.submit();
      commands.destroy();
      for (const buffer of created) gpu.memory.destroy(buffer);
      firstRow += rows;
    }
  }

  async function run(
    shape: Shape,
    spec: TapSpec,
    chunks: readonly number[],
    reduction: Reduction = "one",
    prompt: TapPrompt = PROMPT,
    cachedRows = 0,
  ): Promise<{ readonly taps: Taps; readonly expected: Taps }> {
    const cache = await secondTurn(shape);
    const start = cache.rowCounts();
    const { heads } = shape;
    if (cachedRows > 0) appendRandomRows(cache, cachedRows, 3);
    const input = { cache, heads, spec, prompt, reduction, cachedRows };
    const recorder = await TapRecorder.create(gpu, input);
    appendRandomRows(cache, ROWS - cachedRows, 2);
    const attention = attend(shape, await readCache(cache), start);
    record(recorder, attention, chunks, cachedRows);
    const taps = await recorder.finish();
    cache.destroy();
    return { taps, expected: tapsFromAttention(spec, { ...attention.input, ...prompt }) };
  }

  describe.each(SHAPES)("$heads over $kvHeads heads, $kvType", (shape) => {
    it.each(SPECS)("records %s", async (_, spec) => {
      const { taps, expected } = await run(shape, spec, [31, 12, 40]);
      expectTaps(taps, expected);
    });
  });

  it.each(["workgroup", "subgroup"] as const)("agrees with a %s reduction", async (reduction) => {
    for (const spec of first("elite", "postVision", "keyStats", "spectral")) {
      const { taps, expected } = await run(SHAPES[0]!, spec, [ROWS], reduction);
      expectTaps(taps, expected);
    }
  });

  it.each(SHAPES)("sums columns in blocks, $heads over $kvHeads heads", async (shape) => {
    for (const spec of first("columnSum", "movingAverage")) {
      for (const chunks of [[ROWS], [7, 76]]) {
        const { taps, expected } = await run(shape, spec, chunks, "workgroup");
        expectTaps(taps, expected);
      }
    }
  });

  it.each([
    ["ends in its image", { ...PROMPT, visual: [{ start: 40, end: ROWS }], textStart: ROWS }],
    ["has no image", { ...PROMPT, visual: [], textStart: ROWS - 32 }],
  ])("records a prompt that %s", async (_, prompt) => {
    const specs: readonly TapSpec[] = [
      ...first("elite", "postVision", "textImage"),
      { elite: { window: "allText", alpha: 1, perKvHead: false } },
    ];
    for (const spec of specs) {
      const { taps, expected } = await run(SHAPES[0]!, spec, [ROWS], "one", prompt);
      expectTaps(taps, expected, JSON.stringify(spec));
    }
    const spec: TapSpec = { window: { rows: 999, aggregate: "max", kernel: 1 } };
    const { taps, expected } = await run(SHAPES[0]!, spec, [ROWS], "one", prompt);
    expectTaps(taps, expected);
  });

  it("records the question alone if the cache holds the rows before it", async () => {
    const held = PROMPT.textStart;
    const specs = SPECS.map(([, spec]) => spec).filter(
      (spec) => !("columnSum" in spec || "movingAverage" in spec),
    );
    for (const spec of specs) {
      const { taps, expected } = await run(SHAPES[0]!, spec, [20, 13], "one", PROMPT, held);
      expectTaps(taps, expected, JSON.stringify(spec));
    }
    // Sums over all queries are those of the question's.
    const whole = { window: { rows: 99, aggregate: "mean", kernel: 1 } } as const;
    const { taps } = await run(
      SHAPES[0]!,
      { columnSum: true, ...whole },
      [33],
      "one",
      PROMPT,
      held,
    );
    const questions = taps.window!.data.map((mean) => mean * (ROWS - held));
    expectClose(taps.columnSum!.data, questions);
  });

  it("records the tap of the guide, which is in neither registry", async () => {
    const [shape] = SHAPES as readonly [Shape, ...Shape[]];
    const cache = await secondTurn(shape);
    const start = cache.rowCounts();
    const input = { cache, heads: shape.heads, prompt: PROMPT, reduction: "one" } as const;
    const recorder = await TapRecorder.create<{ readonly keyPeak: typeof keyPeak }>(gpu, {
      ...input,
      spec: { keyPeak: true },
      kernels: { keyPeak: keyPeakTap },
    });
    appendRandomRows(cache, ROWS, 2);
    const attention = attend(shape, await readCache(cache), start);
    record(recorder, attention, [ROWS]);
    const taps = await recorder.finish();
    cache.destroy();
    expectTaps(taps, tapsFromAttention({ keyPeak: true }, attention.input, { keyPeak }));
  });

  it.each(["one", "workgroup"] as const)(
    "scores the rows that stood before the prompt, %s",
    async (reduction) => {
      const [shape] = SHAPES as readonly [Shape, ...Shape[]];
      const { heads, kvHeads } = shape;
      const cache = await secondTurn(shape);
      const start = cache.rowCounts();
      const spec: TapSpec = { columnSum: true, window: { rows: 7, aggregate: "mean", kernel: 1 } };
      const input = {
        cache,
        heads,
        spec,
        prompt: PROMPT,
        reduction,
        cachedSpan: true,
      } as const;
      const recorder = await TapRecorder.create(gpu, input);
      appendRandomRows(cache, ROWS, 2);
      const attention = attend(shape, await readCache(cache), start);
      record(recorder, attention, [50, 33]);
      const { columnSum, window } = await recorder.finish();
      const longest = Math.max(...start.flat());
      expect(window!.rows).toBe(longest);
      for (let layer = 0; layer < shape.layers; layer++) {
        for (let group = 0; group < kvHeads; group++) {
          const sums = new Float64Array(longest);
          const mean = new Float64Array(longest);
          for (let query = 0; query < ROWS; query++) {
            for (let i = 0; i < heads / kvHeads; i++) {
              const row = attention.history(layer, (group * heads) / kvHeads + i, query);
              row.forEach((value, key) => {
                sums[key]! += value / (heads / kvHeads);
                if (query >= ROWS - 7) mean[key]! += value / (heads / kvHeads) / 7;
              });
            }
          }
          const at = (layer * kvHeads + group) * longest;
          expectClose(columnSum!.data.subarray(at, at + longest), Float32Array.from(sums));
          expectClose(window!.data.subarray(at, at + longest), Float32Array.from(mean));
        }
      }
      const broken = { ...input, spec: { textImage: true } as const };
      await expect(TapRecorder.create(gpu, broken)).rejects.toThrow("cached span");
      cache.destroy();
    },
  );

  it("keeps a bounded number of queries and says so", async () => {
    const [shape] = SHAPES as readonly [Shape, ...Shape[]];
    const cache = KvCache.create(gpu, shape);
    const prompt = { rows: 2500, visual: [{ start: 0, end: 10 }], textStart: 10 };
    const spec: TapSpec = { postVision: { threshold: 0.1 } };
    const recorder = await TapRecorder.create(gpu, {
      cache,
      heads: 6,
      spec,
      prompt,
      reduction: "one",
    });
    expect(recorder.notices).toEqual([{ code: "fewerQueries", asked: 2490, used: 2048 }]);
    recorder.destroy();
    cache.destroy();
  });

  it("names the layer of a number that is not finite", async () => {
    const [shape] = SHAPES as readonly [Shape, ...Shape[]];
    const cache = await secondTurn(shape);
    const start = cache.rowCounts();
    const spec: TapSpec = { lastRow: true };
    const input = { cache, heads: shape.heads, spec, prompt: PROMPT, reduction: "one" } as const;
    const recorder = await TapRecorder.create(gpu, input);
    appendRandomRows(cache, ROWS, 2);
    const attention = attend(shape, await readCache(cache), start);
    attention.lse[1]!.fill(Number.NaN);
    record(recorder, attention, [ROWS]);
    await expect(recorder.finish()).rejects.toThrow(
      /^layer 1: the tap lastRow holds (NaN|Infinity)$/,
    );
    cache.destroy();
  });
});

interface Attention {
  readonly shape: Shape;
  /** [layer][rows, heads, headDim] */
  readonly q: readonly Float32Array<ArrayBuffer>[];
  /** [layer][rows, heads] */
  readonly lse: readonly Float32Array<ArrayBuffer>[];
  readonly input: PromptAttention;
  /** Probabilities of the rows that stood before the prompt. */
  history(layer: number, head: number, query: number): Float32Array;
}

/** Attention of random queries to what the cache holds, in double precision. */
function attend(
  shape: Shape,
  cached: readonly (readonly HeadRows[])[],
  start: RowCounts,
): Attention {
  const { layers, heads, kvHeads, headDim } = shape;
  const q = Array.from({ length: layers }, (_, layer) =>
    randomFloats(ROWS * heads * headDim, 100 + layer).map((value) => 3 * value),
  );
  const lse = q.map(() => new Float32Array(ROWS * heads));
  const rows = new Map<string, Float32Array>();
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const group = Math.floor((head * kvHeads) / heads);
      const keys = cached[layer]![group]!.k;
      for (let query = 0; query < ROWS; query++) {
        const at = (query * heads + head) * headDim;
        const seen = keys.slice(0, start[layer]![group]! + query + 1);
        const scores = seen.map((key) => {
          let sum = 0;
          for (let i = 0; i < headDim; i++) sum += key[i]! * q[layer]![at + i]!;
          return sum / Math.sqrt(headDim);
        });
        const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
        lse[layer]![query * heads + head] = total;
        const row = Float32Array.from(scores, (score) => Math.exp(score - total));
        rows.set(`${layer} ${head} ${query}`, row);
      }
    }
  }
  const before = (layer: number, head: number) =>
    start[layer]![Math.floor((head * kvHeads) / heads)]!;
  const row = (layer: number, head: number, query: number) =>
    rows.get(`${layer} ${head} ${query}`)!;
  const tensor = (name: "k" | "v") =>
    Float32Array.from(
      cached.flatMap((layer, l) =>
        layer.flatMap((head, g) => head[name].slice(start[l]![g]).flatMap((values) => [...values])),
      ),
    );
  return {
    shape,
    q,
    lse,
    history: (l, h, query) => row(l, h, query).subarray(0, before(l, h)),
    input: {
      ...PROMPT,
      layers,
      heads,
      kvHeads,
      attention: (l, h, query) => row(l, h, query).subarray(before(l, h)),
      keyValues: { kvHeads, rows: ROWS, headDim, k: tensor("k"), v: tensor("v") },
    },
  };
}

function expectClose(actual: Float32Array, expected: Float32Array, name = ""): void {
  expect(actual.length, name).toBe(expected.length);
  const scale = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  actual.forEach((value, i) => {
    const error = Math.abs(value - expected[i]!);
    if (!(error <= TOLERANCE * scale)) expect(value, `${name} ${i}`).toBe(expected[i]);
  });
}

/** Every array of the taps, whatever its place, is close; everything else is equal. */
function expectTaps(actual: unknown, expected: unknown, name = "taps"): void {
  if (expected instanceof Float32Array) {
    expectClose(actual as Float32Array, expected, name);
  } else if (isScores(expected) || (typeof expected === "object" && !isRows(expected))) {
    const keys = Object.keys(expected as object);
    expect(Object.keys(actual as object).toSorted(), name).toEqual(keys.toSorted());
    for (const key of keys) {
      const of = (value: unknown) => (value as Readonly<Record<string, unknown>>)[key];
      expectTaps(of(actual), of(expected), `${name}.${key}`);
    }
  } else {
    expect(actual, name).toEqual(expected);
  }
}

function isScores(value: unknown): value is RowScores {
  return typeof value === "object" && value !== null && "data" in value;
}

function isRows(value: unknown): boolean {
  return value instanceof Uint32Array;
}
