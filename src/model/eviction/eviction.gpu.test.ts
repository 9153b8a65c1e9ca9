import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createRandom } from "@/compression/blocks/randomness";
import type { RowScores } from "@/compression/taps/tap";
import type { DecodeRule } from "@/compression/types";
import { NO_MEMORY } from "@/protocol/event";
import { createTestGpu } from "../../../test/dawn";
import { appendRandomRows, randomFloats, readCache, writeRandomRows } from "../../../test/kv";
import { KvCache } from "../kv/cache";
import { compact } from "../kv/compaction";
import { capacityFor, type KvShape } from "../kv/layout";
import { Eviction } from "./eviction";
import { sortingCycles } from "./slotOrder";

const BASE = 21;
/** Several slots for each invocation that looks for a victim. */
const ROWS = 260;
const KEPT = 170;
const STEPS = 30;

interface Shape extends KvShape {
  readonly heads: number;
}

const SHAPES: readonly Shape[] = [
  { layers: 2, heads: 6, kvHeads: 2, headDim: 64, kvType: "f32" },
  { layers: 3, heads: 4, kvHeads: 4, headDim: 20, kvType: "f16" },
  { layers: 2, heads: 4, kvHeads: 2, headDim: 64, kvType: "q8" },
  { layers: 1, heads: 2, kvHeads: 1, headDim: 80, kvType: "q4" },
];

type Lowest = Extract<DecodeRule["victim"], { readonly kind: "lowest" }>;

const hold: DecodeRule["due"] = (layer, rows) => Math.max(0, rows - (KEPT - 3 * layer));
const ratio: DecodeRule["due"] = (layer, rows, seen) =>
  Math.max(0, Math.trunc(rows - seen * (0.7 - 0.1 * layer)));

function lowest(victim: Omit<Lowest, "kind">, due = hold): DecodeRule {
  return { due, victim: { kind: "lowest", ...victim } };
}

const RULES: Readonly<Record<string, DecodeRule>> = {
  "the row after four sinks": { due: hold, victim: { kind: "age", index: () => 4 } },
  "a fixed place at a ratio": { due: ratio, victim: { kind: "age", index: (_, n) => n - 20 } },
  "running sums per head": lowest({
    scores: "sum",
    perHead: true,
    protectFirst: 2,
    protectLast: 10,
  }),
  "running sums, shared": lowest({
    scores: "sum",
    perHead: false,
    protectFirst: 0,
    protectLast: [8, 5, 3],
  }),
  "the newest row": lowest({ scores: "last", perHead: false, protectFirst: 0, protectLast: 0 }),
  "the newest row at a ratio": lowest(
    { scores: "last", perHead: true, protectFirst: 4, protectLast: 1 },
    ratio,
  ),
};

describe("eviction", async () => {
  const gpu = await createTestGpu();
  afterAll(() => gpu.device.destroy());
  afterEach(() => {
    expect(gpu.memory.bytes).toEqual(NO_MEMORY);
  });

  describe.each(SHAPES)("$heads over $kvHeads heads, $kvType", (shape) => {
    it.each(Object.entries(RULES))("evicts by %s", async (_, rule) => {
      const cache = KvCache.create(gpu, shape);
      appendRandomRows(cache, BASE, 1);
      const start = cache.rowCounts();
      const seenBefore = cache.seen;
      appendRandomRows(cache, ROWS, 2);
      const kept = Uint32Array.from({ length: KEPT }, (_, i) => i + Math.floor(i / 3));
      const layers = Array.from({ length: shape.layers }, () => ({ keep: [kept] }));
      await compact(cache, { layers }, start);
      const sums = randomSums(shape);
      const model = new Model(shape, rule, cache, seenBefore, sums, await readCache(cache));

      const eviction = await Eviction.create({
        cache,
        heads: shape.heads,
        rule,
        start,
        seenBefore,
        sums,
      });
      for (let step = 0; step < STEPS; step++) {
        cache.ensureRows(1);
        eviction.beforeStep();
        const newest = writeRandomRows(cache, 1, 1000 + step);
        cache.writeTable();
        const attention = model.append(newest, cache.seen, step);
        const commands = gpu.recorder("test");
        const created = attention.map(({ q, lse }, layer) => {
          const buffers = { q: upload(q), lse: upload(lse) };
          eviction.afterAttention(commands, { layer, firstRow: 0, rows: 1, ...buffers });
          return buffers;
        });
        commands.submit();
        commands.destroy();
        for (const { q, lse } of created) {
          gpu.memory.destroy(q);
          gpu.memory.destroy(lse);
        }
        eviction.afterStep();
        model.evict(cache.seen - seenBefore);
        expect(cache.rowCounts()).toEqual(model.rowCounts());
      }
      await eviction.finish();

      const after = await readCache(cache);
      for (let layer = 0; layer < shape.layers; layer++) {
        for (let head = 0; head < shape.kvHeads; head++) {
          const expected = model.heads[layer]![head]!;
          expect(cache.positions(layer, head)).toEqual(expected.map(({ position }) => position));
          expect(after[layer]![head]!.k).toEqual(expected.map(({ k }) => k));
          expect(after[layer]![head]!.v).toEqual(expected.map(({ v }) => v));
        }
      }
      const rows = cache.rowCounts().flat();
      expect(cache.bytes).toBe(rows.reduce((sum, n) => sum + capacityFor(n), 0) * cache.rowBytes);
      cache.truncate(1);
      expect(cache.seen).toBe(BASE + ROWS + STEPS - 1);
      cache.destroy();
    });
  });

  function upload(values: Float32Array<ArrayBuffer>): GPUBuffer {
    const buffer = gpu.memory.storage("activations", "test", values.byteLength);
    gpu.device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  it("refuses what is not done on the GPU", async () => {
    const [shape] = SHAPES as readonly [Shape, ...Shape[]];
    const cache = KvCache.create(gpu, shape);
    const victim = { scores: "last", perHead: false, protectFirst: 0, protectLast: 0 } as const;
    const rule = lowest({ ...victim, across: "model" });
    const input = { cache, heads: shape.heads, rule, start: cache.rowCounts(), seenBefore: 0 };
    await expect(Eviction.create(input)).rejects.toThrow("on the CPU only");
    for (const layer of [0, 1]) cache.splitHeads(layer);
    await expect(Eviction.create({ ...input, rule: lowest(victim) })).rejects.toThrow(
      "heads of layer 0",
    );
    cache.destroy();
  });

  it("sorts by cycles", () => {
    expect(sortingCycles([0, 1, 2])).toEqual([]);
    const random = createRandom(3);
    const positions = Array.from({ length: 50 }, (_, i) => i).sort(() => random() - 0.5);
    const sorted = [...positions];
    for (const cycle of sortingCycles(positions)) {
      for (const [i, slot] of cycle.entries()) {
        sorted[slot] = positions[cycle[(i + 1) % cycle.length]!]!;
      }
    }
    expect(sorted).toEqual(positions.toSorted((a, b) => a - b));
  });
});

function randomSums({ layers, kvHeads }: Shape): RowScores {
  const data = randomFloats(layers * kvHeads * ROWS, 9).map((value) => 1.5 + value);
  return { layers, heads: kvHeads, rows: ROWS, data };
}

interface Row {
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly position: number;
  score: number;
}

/** The same rule on plain lists, oldest row first. */
class Model {
  readonly heads: Row[][][];
  readonly #shape: Shape;
  readonly #rule: DecodeRule;

  constructor(
    shape: Shape,
    rule: DecodeRule,
    cache: KvCache,
    seenBefore: number,
    sums: RowScores,
    rows: Awaited<ReturnType<typeof readCache>>,
  ) {
    this.#shape = shape;
    this.#rule = rule;
    this.heads = rows.map((heads, layer) =>
      heads.map(({ k, v }, head) =>
        k.map((key, slot) => {
          const position = cache.positions(layer, head)[slot]!;
          const row = (layer * shape.kvHeads + head) * ROWS + position - seenBefore;
          const score = position < seenBefore ? 0 : sums.data[row]!;
          return { k: key, v: v[slot]!, position, score };
        }),
      ),
    );
  }

  rowCounts(): number[][] {
    return this.heads.map((heads) => heads.map((rows) => rows.length));
  }

  /** Adds the newest row to every head and gives random queries, with what they attend to. */
  append(newest: Awaited<ReturnType<typeof readCache>>, position: number, step: number) {
    const { heads, kvHeads, headDim } = this.#shape;
    const group = heads / kvHeads;
    return this.heads.map((layer, l) => {
      const q = randomFloats(heads * headDim, 5000 + step * 10 + l).map((value) => 3 * value);
      const lse = new Float32Array(heads);
      for (const [g, rows] of layer.entries()) {
        const { k, v } = newest[l]![g]!;
        rows.push({ k: k[0]!, v: v[0]!, position, score: 0 });
        const probabilities = new Float64Array(rows.length);
        for (let head = g * group; head < (g + 1) * group; head++) {
          const query = q.subarray(head * headDim, (head + 1) * headDim);
          const scores = rows.map(
            (row) => row.k.reduce((sum, x, i) => sum + x * query[i]!, 0) / Math.sqrt(headDim),
          );
          const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
          lse[head] = Math.log(total);
          scores.forEach((score, i) => {
            probabilities[i]! += Math.exp(score) / total / group;
          });
        }
        const { victim } = this.#rule;
        const adds = victim.kind === "lowest" && victim.scores === "sum";
        rows.forEach((row, i) => {
          row.score = (adds ? row.score : 0) + probabilities[i]!;
        });
      }
      return { q, lse };
    });
  }

  evict(seen: number): void {
    for (const [layer, heads] of this.heads.entries()) {
      const { victim } = this.#rule;
      const lists =
        victim.kind === "lowest" && victim.perHead ? heads.map((rows) => [rows]) : [heads];
      for (const list of lists) {
        const due = this.#rule.due(layer, list[0]!.length - BASE, seen);
        for (let i = 0; i < due; i++) this.#evictOne(layer, list);
      }
    }
  }

  #evictOne(layer: number, lists: readonly Row[][]): void {
    const { victim } = this.#rule;
    const count = lists[0]!.length - BASE;
    if (victim.kind === "age") {
      const place = victim.index(layer, count);
      for (const rows of lists) rows.splice(BASE + place, 1);
      return;
    }
    const { protectLast, protectFirst } = victim;
    const last = typeof protectLast === "number" ? protectLast : protectLast[layer]!;
    let best = -1;
    let lowestScore = Number.POSITIVE_INFINITY;
    for (let place = protectFirst; place < count - last; place++) {
      const score = lists.reduce((sum, rows) => sum + rows[BASE + place]!.score, 0);
      if (score < lowestScore) [best, lowestScore] = [place, score];
    }
    for (const rows of lists) rows.splice(BASE + best, 1);
  }
}
