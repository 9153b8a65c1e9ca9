import { describe, expect, it } from "vitest";
import type { DecodeRule, KeepPlan } from "@/compression/types";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import type { OpenRows } from "../../../test/cpuDecoder";
import { FIXTURES } from "../../../test/decoderFixtures";
import { prefilledPrompt } from "../../../test/prefilledPrompt";
import { Eviction } from "../eviction/eviction";
import type { KvCache } from "../kv/cache";
import { compact } from "../kv/compaction";
import { generate } from "./generation";
import { type DecodeHook, joinHooks } from "./hooks";
import { STEP_ATTENTION_BYTES, StepAttention } from "./stepAttention";

const STEPS = 24;
/** Does not divide the steps. */
const BLOCK = 9;

const model = FIXTURES.find(({ name }) => name === "tiny-6over2-f32")!;
const test = model.cases.find(({ rows }) => rows === 600)!;
/** An odd number of them: the last word of a line is not full. Some are the first to change slots. */
const WATCHED = Array.from({ length: 251 }, (_, i) => 340 + i);

/** [layer][head] original positions of the rows on the CPU, in the order of its rows. */
type Labels = number[][][];

describe("attention of decoding steps", async () => {
  const prompted = await prefilledPrompt(model, test);
  const { decoder, cpu, start, randomKeep } = prompted;
  const { layers, kvHeads, heads } = cpu.config;

  /** The prompt's cache under a plan, on both sides. */
  async function compacted(plan: KeepPlan) {
    const cache = prompted.fork();
    await compact(cache, plan, start);
    return { cache, rows: prompted.masked(plan), labels: prompted.keptRows(plan) };
  }

  /** Decodes on both sides and compares what every step looked at. */
  async function expectSame(
    { cache, rows, labels }: { cache: KvCache; rows: OpenRows; labels: Labels },
    options: {
      readonly eviction?: Eviction;
      /** Drops from the CPU's rows and labels what the rule evicts after a step. */
      readonly evict?: (shares: readonly (readonly Float64Array[])[]) => void;
      readonly positions?: readonly number[];
      /** Moves rows on both sides before the first step and after every `BLOCK` steps. */
      readonly move?: () => Promise<void>;
    } = {},
  ): Promise<Uint8Array> {
    const { eviction, evict, positions = WATCHED, move } = options;
    const attention = await StepAttention.create({
      cache,
      heads,
      positions,
      steps: STEPS,
      slots: eviction?.slots,
    });
    const hooks: DecodeHook[] = eviction ? [eviction, attention] : [attention];
    const makeRoom = async () => {
      await move?.();
      attention.follow();
      return BLOCK;
    };
    const args = {
      ...{ cache, sampling: GREEDY, maxNewTokens: STEPS, stopIds: [] },
      ...(move && { makeRoom }),
    };
    let position = test.rows;
    const expected: number[] = [];
    for await (const { id } of generate(decoder, { ...args, hook: joinHooks(hooks) })) {
      const shares: Float64Array[][] = [];
      cpu.step(id, position, rows, (_, perHead) => shares.push([...perHead]));
      for (const heads of labels.flat()) heads.push(position);
      position++;
      for (const [layer, perHead] of shares.entries()) {
        const line = new Float64Array(positions.length);
        for (const [head, probabilities] of perHead.entries()) {
          for (const [i, label] of labels[layer]![head]!.entries()) {
            const column = positions.indexOf(label);
            if (column >= 0) line[column]! += probabilities[i]! / kvHeads;
          }
        }
        expected.push(...line);
      }
      evict?.(shares);
    }
    const cells = await attention.read(STEPS);
    attention.destroy();
    await eviction?.finish();
    expect(cells).toHaveLength(expected.length);
    for (const [i, share] of expected.entries()) {
      // Half a step of the byte, and float error where it is about to round the other way.
      expect(Math.abs(cells[i]! - 255 * Math.sqrt(share))).toBeLessThan(0.5 + 0.01);
    }
    cache.destroy();
    return cells;
  }

  const everything: KeepPlan = {
    layers: Array.from({ length: layers }, () => ({
      keep: [Uint32Array.from({ length: test.rows }, (_, row) => row)],
    })),
  };

  const perHead: KeepPlan = {
    layers: [0, 1, 2].map((layer) => ({
      keep: [randomKeep(0.4, 10 + layer), randomKeep(0.1 + 0.3 * layer, 20 + layer)],
    })),
  };

  it("is that of the CPU over a full cache", async () => {
    const cells = await expectSame(await compacted(everything));
    expect(cells.filter((cell) => cell > 0).length).toBeGreaterThan(cells.length / 2);
  });

  it("is that of the CPU where heads keep lists of their own", async () => {
    const cells = await expectSame(await compacted(perHead));
    expect(cells.filter((cell) => cell > 0).length).toBeGreaterThan(cells.length / 10);
    expect(cells.filter((cell) => cell === 0).length).toBeGreaterThan(cells.length / 10);
  });

  /** Rows that a step takes more than it gives: so old ones change their slots, not just the newest. */
  const DUE = 3;

  it("follows rows that change their slots, victims by age", async () => {
    const compactedRows = await compacted(perHead);
    const { cache, rows, labels } = compactedRows;
    const place = 5;
    const rule: DecodeRule = { due: () => DUE, victim: { kind: "age", index: () => place } };
    const input = { cache, heads, rule, start, seenBefore: 0, tracksSlots: true };
    const eviction = await Eviction.create(input);
    let isShuffled = false;
    const evict = () => {
      for (const [layer, each] of rows.entries()) {
        for (const [head, { k, v }] of each.entries()) {
          const held = cache.positions(layer, head).filter((p) => WATCHED.includes(p));
          isShuffled ||= held.some((p, i) => i > 0 && p < held[i - 1]!);
          for (const list of [k, v, labels[layer]![head]!]) list.splice(place, DUE);
        }
      }
    };
    await expectSame(compactedRows, { eviction, evict });
    expect(isShuffled).toBe(true);
  });

  it("follows rows that change their slots, victims by score", async () => {
    const compactedRows = await compacted(perHead);
    const { cache, rows, labels } = compactedRows;
    const rule: DecodeRule = {
      due: () => DUE,
      victim: { kind: "lowest", scores: "last", perHead: true, protectFirst: 0, protectLast: 1 },
    };
    const input = { cache, heads, rule, start, seenBefore: 0, tracksSlots: true };
    const eviction = await Eviction.create(input);
    const evict = (shares: readonly (readonly Float64Array[])[]) => {
      for (const [layer, each] of rows.entries()) {
        for (const [head, { k, v }] of each.entries()) {
          const scores = [...shares[layer]![head]!];
          for (let round = 0; round < DUE; round++) {
            const worst = scores.indexOf(Math.min(...scores.slice(0, -1)));
            for (const list of [k, v, labels[layer]![head]!, scores]) list.splice(worst, 1);
          }
        }
      }
    };
    await expectSame(compactedRows, { eviction, evict });
  });

  it("follows rows that are dropped between steps", async () => {
    const compactedRows = await compacted(perHead);
    const { cache, rows, labels } = compactedRows;
    const place = 5;
    const goes = (slot: number) => slot >= place && slot < place + DUE;
    const move = async () => {
      const counts = cache.rowCounts();
      const slots = (length: number) => Uint32Array.from({ length }, (_, slot) => slot);
      const kept = (count: number) => slots(count).filter((slot) => !goes(slot));
      const plan = { layers: counts.map((heads) => ({ keep: heads.map(kept) })) };
      await compact(
        cache,
        plan,
        counts.map((heads) => heads.map(() => 0)),
      );
      for (const [layer, each] of rows.entries()) {
        for (const [head, { k, v }] of each.entries()) {
          for (const list of [k, v, labels[layer]![head]!]) list.splice(place, DUE);
        }
      }
    };
    await expectSame(compactedRows, { move });
  });

  it("records as many steps as there is room for, and none beyond", async () => {
    const { cache } = await compacted(everything);
    const positions = Array.from({ length: 100_000 }, (_, i) => i);
    const attention = await StepAttention.create({ cache, heads, positions, steps: 1000 });
    expect(attention.steps).toBe(Math.floor(STEP_ATTENTION_BYTES / (layers * 100_000)));
    attention.destroy();

    const short = await StepAttention.create({ cache, heads, positions: WATCHED, steps: 2 });
    const args = { cache, sampling: GREEDY, maxNewTokens: 5, stopIds: [] };
    for await (const _ of generate(decoder, { ...args, hook: short }));
    expect(await short.read(5)).toHaveLength(2 * layers * WATCHED.length);
    short.destroy();
    cache.destroy();
  });
});
