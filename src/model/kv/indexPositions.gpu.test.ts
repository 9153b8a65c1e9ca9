import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createRandom } from "@/compression/blocks/randomness";
import type { DecodeRule, KeepPlan } from "@/compression/types";
import { rotate } from "@/gpu/selfTest/reference";
import { NO_MEMORY } from "@/protocol/event";
import { createTestGpu } from "../../../test/dawn";
import { randomFloats, readCache, writeRows } from "../../../test/kv";
import { Eviction } from "../eviction/eviction";
import { KvCache } from "./cache";
import { compact, gatherFork } from "./compaction";
import type { KvShape } from "./layout";
import { axisAngles } from "./rotary";
import type { AxisPositions } from "./tokenPositions";

/**
 * f32: angles are rounded at other positions than the reference's. f16: a key below 1.5 is rounded
 * when it is cached, when its prompt is compacted, and once for all the steps that turn it on. q8 and q4: the same,
 * by half of a 255th or 15th of a range of 2.9.
 */
const TOLERANCE = {
  f32: 1e-4,
  f16: 3 * 2 ** -11 + 1e-4,
  q8: (3 * 1.45) / 255,
  q4: (3 * 1.45) / 15,
};

const frequencies = (headDim: number) =>
  Float32Array.from({ length: headDim / 2 }, (_, pair) => 10_000 ** ((-2 * pair) / headDim));

const SHAPES: readonly KvShape[] = [
  {
    ...{ layers: 2, kvHeads: 2, headDim: 64, kvType: "f32", frequencies: frequencies(64) },
    reduction: "subgroup",
  },
  { layers: 2, kvHeads: 3, headDim: 20, kvType: "f16", frequencies: frequencies(20) },
  {
    ...{ layers: 2, kvHeads: 2, headDim: 24, kvType: "f32", frequencies: frequencies(24) },
    axes: Uint8Array.from({ length: 12 }, (_, pair) => pair % 3),
  },
  { layers: 2, kvHeads: 2, headDim: 20, kvType: "q8", frequencies: frequencies(20) },
  { layers: 1, kvHeads: 2, headDim: 64, kvType: "q4", frequencies: frequencies(64) },
];

/** More steps than angles are computed for at a time. */
const STEPS = 290;
const HELD = 33;

describe("positions by place", async () => {
  const gpu = await createTestGpu();
  afterAll(() => gpu.device.destroy());
  afterEach(() => {
    expect(gpu.memory.bytes).toEqual(NO_MEMORY);
  });

  it.each(SHAPES)(
    "stands where a new cache would put its rows, $kvType, axes $axes",
    async (shape) => {
      const cache = KvCache.create(gpu, shape);
      cache.positionMode = "cacheIndex";
      const known = new UnrotatedKeys(cache);

      let start = cache.rowCounts();
      if (shape.axes) cache.tokens.announce({ start: 2, gridRows: 3, gridColumns: 5 });
      known.append(23);
      await compact(cache, dropPlan(shape, 23, 1), start);
      expect(cache.position).toBe(Math.max(...cache.rowCounts().flat()));
      await known.expectRotated(cache);

      start = cache.rowCounts();
      const seenBefore = cache.seen;
      if (shape.axes) cache.tokens.announce({ start: 9, gridRows: 6, gridColumns: 4 });
      known.append(60);
      // The keys of an image stand in its grid until they are compacted.
      if (!shape.axes) await known.expectRotated(cache);
      const plan = dropPlan(shape, 60, 2);
      const fork = await gatherFork(cache, plan, start);
      await compact(cache, plan, start);
      await known.expectRotated(cache);
      await known.expectRotated(fork);
      fork.destroy();

      let step = 0;
      const rule: DecodeRule = {
        due: (_, rows) => Math.max(0, rows - HELD),
        victim: { kind: "age", index: () => 4 + (step % 90 > 60 ? 3 : 0) },
      };
      const eviction = await Eviction.create({ cache, heads: 6, rule, start, seenBefore });
      for (; step < STEPS; step++) {
        cache.ensureRows(1);
        eviction.beforeStep();
        known.write(1);
        cache.writeTable();
        eviction.afterStep();
      }
      await eviction.finish();
      expect(cache.rows(0)).toBe(start[0]![0]! + HELD);
      await known.expectRotated(cache);
      cache.destroy();
    },
  );

  it("needs the frequencies, and victims by age", async () => {
    const { frequencies: _, ...bare } = SHAPES[0]!;
    const cache = KvCache.create(gpu, bare);
    cache.positionMode = "cacheIndex";
    const victim = { kind: "lowest", scores: "last", perHead: false } as const;
    const rule: DecodeRule = {
      due: () => 0,
      victim: { ...victim, protectFirst: 0, protectLast: 0 },
    };
    const input = { cache, heads: 6, rule, start: cache.rowCounts(), seenBefore: 0 };
    await expect(Eviction.create(input)).rejects.toThrow("victims by age");
    const byAge = { ...input, rule: { ...rule, victim: { kind: "age", index: () => 0 } } } as const;
    await expect(Eviction.create(byAge)).rejects.toThrow("frequencies");
    cache.destroy();
  });
});

/** A shared list in layer 0, lists per head of other lengths behind it. */
function dropPlan({ layers, kvHeads }: KvShape, rows: number, seed: number): KeepPlan {
  const keep = (list: number) => {
    const random = createRandom(seed * 100 + list);
    return Uint32Array.from([...Array(rows).keys()].filter(() => random() < 0.4 + list / 20));
  };
  return {
    layers: Array.from({ length: layers }, (_, layer) => ({
      keep: layer === 0 ? [keep(0)] : Array.from({ length: kvHeads }, (_, head) => keep(1 + head)),
    })),
  };
}

/** Every key before its rotation, by original position. */
class UnrotatedKeys {
  readonly #cache: KvCache;
  /** [position][layer * kvHeads + head] */
  readonly #keys: Float32Array<ArrayBuffer>[][] = [];

  constructor(cache: KvCache) {
    this.#cache = cache;
  }

  append(rows: number): void {
    this.#cache.ensureRows(rows);
    this.write(rows);
    this.#cache.append(rows);
  }

  /** Writes rotated keys behind the newest ones. */
  write(rows: number): void {
    const { layers, kvHeads, headDim } = this.#cache.shape;
    for (let row = 0; row < rows; row++) {
      const count = layers * kvHeads;
      const seed = this.#keys.length * count;
      const keys = Array.from({ length: count }, (_, i) => randomFloats(headDim, seed + i));
      this.#keys.push(keys);
      for (const [i, key] of keys.entries()) {
        const [layer, head] = [Math.floor(i / kvHeads), i % kvHeads];
        const rotated = this.#rotated(key, this.#cache.axisPositions(this.#cache.seen + row));
        const { offset, rows: used } = this.#cache.regions(layer)[head]!;
        writeRows(this.#cache, this.#cache.layer(layer).k, offset + used + row, rotated);
      }
    }
  }

  /** A row of place i stands at position - rows + i, in order of age. */
  async expectRotated(cache: KvCache): Promise<void> {
    const { kvHeads, kvType } = cache.shape;
    for (const [layer, heads] of (await readCache(cache)).entries()) {
      for (const [head, { k }] of heads.entries()) {
        const first = cache.position - k.length;
        for (const [place, key] of k.entries()) {
          const original = cache.positions(layer, head)[place]!;
          const bare = this.#keys[original]![layer * kvHeads + head]!;
          const at = first + place;
          const expected = this.#rotated(bare, [at, at, at]);
          const worst = key.reduce((max, x, i) => Math.max(max, Math.abs(x - expected[i]!)), 0);
          expect(worst, `layer ${layer}, head ${head}, place ${place}`).toBeLessThan(
            TOLERANCE[kvType],
          );
        }
      }
    }
  }

  #rotated(key: Float32Array<ArrayBuffer>, position: AxisPositions): Float32Array<ArrayBuffer> {
    const { headDim, axes } = this.#cache.shape;
    const angles = axisAngles(this.#cache.shape.frequencies!, axes, [position]);
    return rotate(key, angles, 1, headDim);
  }
}
