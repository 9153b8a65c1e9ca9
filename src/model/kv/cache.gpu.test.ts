import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { createRandom } from "@/compression/blocks/randomness";
import { absorbedInto, PlanError } from "@/compression/keepPlan";
import type { KeepPlan, LayerPlan, MergePlan } from "@/compression/types";
import { OutOfMemoryError } from "@/gpu/memory";
import { NO_MEMORY } from "@/protocol/event";
import { createTestGpu } from "../../../test/dawn";
import {
  appendRandomRows,
  forkOf,
  type HeadRows,
  mergeOnCpu,
  nearestOnCpu,
  readCache,
} from "../../../test/kv";
import { KvCache } from "./cache";
import { compact, gatherFork } from "./compaction";
import { capacityFor, type KvShape, type RowCounts } from "./layout";

/** One rounding to f16 of values below 1. */
const HALF_ULP = 2 ** -11;
/** Sums of a few dozen f32 values in another order. */
const MERGE_TOLERANCE = {
  ...{ f32: 1e-6, f16: HALF_ULP + 1e-6 },
  // Half of a 255th or 15th of a range of 2, whose end is rounded to f16.
  ...{ q8: 1 / 255 + 2 * HALF_ULP, q4: 1 / 15 + 2 * HALF_ULP },
};

/** Rows of a turn, and rows that an earlier turn left: neither is a multiple of a workgroup or a block. */
const BASE = 37;
const ROWS = 131;

const SHAPES: readonly KvShape[] = [
  { layers: 3, kvHeads: 2, headDim: 64, kvType: "f32" },
  { layers: 2, kvHeads: 5, headDim: 20, kvType: "f16" },
  { layers: 2, kvHeads: 2, headDim: 64, kvType: "f16", reduction: "subgroup" },
  { layers: 2, kvHeads: 2, headDim: 64, kvType: "q8" },
  { layers: 2, kvHeads: 2, headDim: 80, kvType: "q4", reduction: "workgroup" },
];

function randomKeep(rows: number, share: number, seed: number): Uint32Array {
  const random = createRandom(seed);
  const kept = Array.from({ length: rows }, (_, row) => row).filter(() => random() < share);
  return Uint32Array.from(kept.length > 0 ? kept : [rows - 1]);
}

/** Shared lists, lists per head with other lengths, a layer that keeps all, a layer that keeps one. */
function dropPlan({ layers, kvHeads }: KvShape): KeepPlan {
  const all = Uint32Array.from({ length: ROWS }, (_, row) => row);
  const kinds: readonly (readonly Uint32Array[])[] = [
    [randomKeep(ROWS, 0.4, 1)],
    Array.from({ length: kvHeads }, (_, head) => randomKeep(ROWS, 0.1 + head / 10, 2 + head)),
    [all],
  ];
  return { layers: Array.from({ length: layers }, (_, layer) => ({ keep: kinds[layer % 3]! })) };
}

function listOf(plan: LayerPlan, head: number): Uint32Array {
  return plan.keep[plan.keep.length === 1 ? 0 : head]!;
}

function pick(rows: readonly Float32Array[], base: number, kept: Uint32Array): Float32Array[] {
  return [...rows.slice(0, base), ...Array.from(kept, (row) => rows[base + row]!)];
}

function bytesOf(cache: KvCache, counts: RowCounts): number {
  return counts.flat().reduce((sum, rows) => sum + capacityFor(rows), 0) * cache.rowBytes;
}

describe("kv cache", async () => {
  const gpu = await createTestGpu();
  afterAll(() => gpu.device.destroy());
  afterEach(() => {
    expect(gpu.memory.bytes).toEqual(NO_MEMORY);
  });

  function twoTurns(shape: KvShape): { cache: KvCache; start: RowCounts } {
    const cache = KvCache.create(gpu, shape);
    appendRandomRows(cache, BASE, 1);
    const start = cache.rowCounts();
    appendRandomRows(cache, ROWS, 2);
    return { cache, start };
  }

  it("owns nothing while it is empty and grows by whole blocks", () => {
    const cache = KvCache.create(gpu, SHAPES[0]!);
    expect(gpu.memory.bytes.kv).toBe(0);
    expect(() => cache.layer(0)).toThrow("layer 0 has no buffers yet");
    cache.ensureRows(1);
    expect(cache.bytes).toBe(3 * 2 * 64 * cache.rowBytes);
    const { version } = cache;
    cache.append(64);
    cache.ensureRows(0);
    expect(cache.version).toBe(version);
    expect(() => cache.append(1)).toThrow("no room");
    cache.ensureRows(1);
    expect(cache.version).toBeGreaterThan(version);
    expect(gpu.memory.bytes.kv).toBe(3 * 2 * 128 * cache.rowBytes);
    cache.destroy();
  });

  it("describes itself in the table", async () => {
    const cache = KvCache.create(gpu, { ...SHAPES[0]!, layers: 2 });
    appendRandomRows(cache, 70, 1);
    cache.writeTable();
    const words = new Uint32Array(await gpu.read(cache.table));
    const expected = [0, 128, 256, 384].flatMap((flat) => [flat % 256, 70, 128, flat]);
    expect([...words]).toEqual(expected);
    cache.destroy();
  });

  describe.each(SHAPES)("$kvType, $kvHeads heads of $headDim", (shape) => {
    it("keeps its rows while growing, forking and truncating", async () => {
      const { cache, start } = twoTurns(shape);
      const before = await readCache(cache);
      cache.ensureRows(200);
      expect(await readCache(cache)).toEqual(before);
      const fork = forkOf(cache);
      cache.truncate(ROWS);
      expect(cache.rowCounts()).toEqual(start);
      expect(cache.seen).toBe(BASE);
      expect(cache.bytes).toBe(bytesOf(cache, start));
      expect((await readCache(cache))[1]![0]!.k).toEqual(before[1]![0]!.k.slice(0, BASE));
      expect(await readCache(fork)).toEqual(before);
      expect(fork.seen).toBe(BASE + ROWS);
      cache.destroy();
      fork.destroy();
    });

    it("drops rows in place, exactly, and gives the memory back", async () => {
      const { cache, start } = twoTurns(shape);
      const before = await readCache(cache);
      const full = cache.bytes;
      const plan = dropPlan(shape);
      const heads = [...Array(shape.kvHeads).keys()];
      const counts = plan.layers.map((each) =>
        heads.map((head) => BASE + listOf(each, head).length),
      );
      const planned = bytesOf(cache, counts);
      const fork = await gatherFork(cache, plan, start);
      expect(fork.bytes).toBe(planned);

      gpu.memory.resetPeak();
      await compact(cache, plan, start);
      expect(cache.bytes).toBe(planned);
      expect(gpu.memory.bytes.kv).toBe(cache.bytes + fork.bytes);
      expect(gpu.memory.peak("kv") - fork.bytes).toBeLessThanOrEqual(full + full / shape.layers);

      const after = await readCache(cache);
      for (const [layer, layerPlan] of plan.layers.entries()) {
        for (let head = 0; head < shape.kvHeads; head++) {
          const kept = listOf(layerPlan, head);
          expect(cache.rows(layer, head)).toBe(BASE + kept.length);
          for (const name of ["k", "v"] as const) {
            const expected = pick(before[layer]![head]![name], BASE, kept);
            expect(after[layer]![head]![name]).toEqual(expected);
          }
          const positions = pick(
            Array.from({ length: BASE + ROWS }, (_, i) => Float32Array.of(i)),
            BASE,
            kept,
          ).map(([position]) => position);
          expect(cache.positions(layer, head)).toEqual(positions);
        }
      }
      expect(await readCache(fork)).toEqual(after);
      expect(cache.position).toBe(BASE + ROWS);
      cache.destroy();
      fork.destroy();
    });

    it.each(["mean", "pivot"] as const)("merges assigned rows (%s)", async (rule) => {
      const { cache, start } = twoTurns(shape);
      const before = await readCache(cache);
      const keep = dropPlan(shape).layers;
      const plan: KeepPlan = {
        layers: keep.map(({ keep: lists }, layer) => {
          if (layer === 0) return { keep: lists };
          const into = lists.map((kept) => assignAtRandom(kept, layer));
          return { keep: lists, merge: { kind: "assign", rule, into } };
        }),
      };
      await compact(cache, plan, start);
      const after = await readCache(cache);
      for (const [layer, layerPlan] of plan.layers.entries()) {
        for (let head = 0; head < shape.kvHeads; head++) {
          const into = intoOf(layerPlan.merge, head);
          const merged = mergeOnCpu(before[layer]![head]!, {
            base: BASE,
            kept: listOf(layerPlan, head),
            rule,
            into,
          });
          expectRows(after[layer]![head]!, merged, MERGE_TOLERANCE[shape.kvType]);
        }
      }
      expect(cache.bytes).toBe(bytesOf(cache, cache.rowCounts()));
      cache.destroy();
    });

    it.each([
      ["any", undefined],
      ["an early", Uint32Array.from({ length: 60 }, (_, row) => row)],
    ])("merges every dropped row into %s kept row with the nearest key", async (_, among) => {
      const { cache, start } = twoTurns(shape);
      const before = await readCache(cache);
      const rule = "pivot";
      const plan: KeepPlan = {
        layers: dropPlan(shape).layers.map(({ keep }) => ({
          keep,
          merge: { kind: "nearestKey", rule, ...(among && { among }) },
        })),
      };
      const fork = await gatherFork(cache, plan, start);
      expect(await readCache(cache)).toEqual(before);
      const after = await readCache(fork);
      for (const [layer, layerPlan] of plan.layers.entries()) {
        for (let head = 0; head < shape.kvHeads; head++) {
          const rows = before[layer]![head]!;
          const kept = listOf(layerPlan, head);
          const into = nearestOnCpu(rows.k.slice(BASE), kept, among);
          const merged = mergeOnCpu(rows, { base: BASE, kept, rule, into });
          expectRows(after[layer]![head]!, merged, MERGE_TOLERANCE[shape.kvType]);
        }
      }
      cache.destroy();
      fork.destroy();
    });
  });

  it("counts positions as the mode says", async () => {
    const { cache, start } = twoTurns(SHAPES[0]!);
    await compact(cache, dropPlan(SHAPES[0]!), start);
    expect(cache.position).toBe(BASE + ROWS);
    cache.positionMode = "layer0Length";
    expect(cache.position).toBe(cache.rows(0));
    cache.destroy();
  });

  it("refuses plans that do not fit, and leaves the cache alone", async () => {
    const { cache, start } = twoTurns(SHAPES[0]!);
    const before = cache.rowCounts();
    const keep = [Uint32Array.of(0, 5, 9)];
    const fine: LayerPlan = { keep };
    const broken: readonly LayerPlan[] = [
      { keep: [Uint32Array.of(5, 5)] },
      { keep: [Uint32Array.of(ROWS)] },
      { keep: [keep[0]!, keep[0]!, keep[0]!] },
      { keep, merge: { kind: "assign", rule: "mean", into: [new Int32Array(ROWS).fill(6)] } },
    ];
    for (const last of broken) {
      const plan = { layers: [fine, fine, last] };
      await expect(compact(cache, plan, start)).rejects.toThrow(PlanError);
    }
    await expect(compact(cache, { layers: [fine] }, start)).rejects.toThrow("1 layers");
    expect(cache.rowCounts()).toEqual(before);
    cache.destroy();
  });

  it.each([
    ["in place", compact],
    ["into a fork", gatherFork],
  ])("holds nothing of a compaction %s for which memory ends", async (_, run) => {
    const { cache, start } = twoTurns(SHAPES[0]!);
    const { bytes } = cache;
    const few: LayerPlan = { keep: [Uint32Array.of(0, 5, 9)] };
    const { storage } = gpu.memory;
    const refused = vi.spyOn(gpu.memory, "storage").mockImplementation((pool, label, size) => {
      if (label === "kv v 1") throw new OutOfMemoryError(label, size, 0);
      return storage.call(gpu.memory, pool, label, size);
    });
    const running = run(cache, { layers: [few, few, few] }, start);
    await expect(running).rejects.toThrow(OutOfMemoryError);
    refused.mockRestore();
    expect(gpu.memory.bytes).toEqual({ ...NO_MEMORY, kv: bytes });
    cache.destroy();
  });
});

/** Some rows absorbed by kept rows (kept ones among them), some dropped. */
function assignAtRandom(kept: Uint32Array, seed: number): Int32Array {
  const random = createRandom(seed);
  return Int32Array.from({ length: ROWS }, () =>
    random() < 0.7 ? kept[Math.floor(random() * kept.length)]! : -1,
  );
}

function intoOf(merge: MergePlan | undefined, head: number): Int32Array | undefined {
  return merge?.kind === "assign" ? absorbedInto(merge, head) : undefined;
}

function expectRows(actual: HeadRows, expected: HeadRows, tolerance: number): void {
  for (const name of ["k", "v"] as const) {
    expect(actual[name].length).toBe(expected[name].length);
    for (const [row, values] of expected[name].entries()) {
      const worst = values.reduce(
        (max, value, i) => Math.max(max, Math.abs(value - actual[name][row]![i]!)),
        0,
      );
      expect(worst, `${name} ${row}`).toBeLessThanOrEqual(tolerance);
    }
  }
}
