import { createRerotateKeys, type RerotateKeys } from "@/gpu/kernels/cache/rerotateKeys";
import { runOnce, Scratch } from "../scratch";
import type { KvCache } from "./cache";
import { frequenciesOf } from "./indexPositions";
import { ListBuilder } from "./planLists";
import { rotaryAngles } from "./rotary";

/** Angles are computed for this many more positions at a time. */
const MORE_ANGLES = 256;

/** A row that was copied: the index of its copy, and by how many positions it has moved since. */
interface Front {
  readonly copy: number;
  shift: number;
}

/** Slots of one layer that move one position up, per head. */
export interface FrontSlots {
  readonly layer: number;
  readonly slots: readonly (readonly number[])[];
}

/**
 * The rows in front of what is evicted, in positions by place: each eviction behind them moves them
 * one position up. A row is copied out in f32 when it first moves and every later rotation starts from
 * that copy, so that an f16 cache is rounded once however long the answer gets. StreamingLLM has four
 * such rows, its sinks.
 */
export class FrontRows {
  readonly #cache: KvCache;
  readonly #kernels: RerotateKeys;
  readonly #scratch: Scratch;
  /** [layer][head] slot → copy */
  readonly #fronts: readonly (readonly Map<number, Front>[])[];
  /** f32 [copies, headDim] per layer. */
  readonly #copies: (GPUBuffer | undefined)[];
  #angles: GPUBuffer | undefined;
  #angleCount = 0;

  private constructor(cache: KvCache, kernels: RerotateKeys) {
    const { layers, kvHeads } = cache.shape;
    this.#cache = cache;
    this.#kernels = kernels;
    this.#scratch = new Scratch(cache.gpu, "front rows");
    this.#copies = new Array(layers).fill(undefined);
    this.#fronts = Array.from({ length: layers }, () =>
      Array.from({ length: kvHeads }, () => new Map<number, Front>()),
    );
  }

  static async create(cache: KvCache): Promise<FrontRows> {
    frequenciesOf(cache);
    const { kvType, headDim, reduction = "one" } = cache.shape;
    const kernels = await createRerotateKeys(cache.gpu, kvType, headDim, reduction);
    return new FrontRows(cache, kernels);
  }

  /** The row of slot `from` is now in slot `to`, whose own row was evicted. */
  follow(layer: number, head: number, from: number, to: number): void {
    const fronts = this.#front(layer, head);
    const moved = fronts.get(from);
    fronts.delete(from);
    if (moved && from !== to) fronts.set(to, moved);
    else fronts.delete(to);
  }

  /** Moves the rows of the slots one position up. */
  advance(layers: readonly FrontSlots[]): void {
    const { gpu, shape } = this.#cache;
    const moves = layers.map(({ layer, slots }) => {
      const fresh = new ListBuilder(shape);
      const all = new ListBuilder(shape);
      let longest = 0;
      for (const [head, { offset }] of this.#cache.regions(layer).entries()) {
        const list = slots[head] as readonly number[];
        longest = Math.max(longest, list.length);
        const added = list.filter((slot) => !this.#front(layer, head).has(slot));
        for (const slot of added) {
          this.#front(layer, head).set(slot, { copy: this.#count(layer), shift: 0 });
        }
        const words = (of: readonly number[]) =>
          of.flatMap((slot) => this.#words(layer, head, slot));
        for (const slot of list) (this.#front(layer, head).get(slot) as Front).shift++;
        fresh.header(layer, head, [fresh.add(words(added)), added.length, offset, 0]);
        all.header(layer, head, [all.add(words(list)), list.length, offset, 0]);
      }
      const args = {
        keys: this.#cache.layer(layer).k,
        copies: this.#copiesOf(layer),
        heads: shape.kvHeads,
        layer,
        entries: longest,
      };
      return { args, copied: fresh.build(), rotated: all.build() };
    });
    const angles = this.#angleTable();
    runOnce(gpu, "front rows", 2 * layers.length, (scratch, recorder) => {
      for (const { args, copied, rotated } of moves) {
        this.#kernels.copy(recorder, { ...args, lists: scratch.upload("copied", copied) });
        const lists = scratch.upload("rotated", rotated);
        this.#kernels.rerotate(recorder, { ...args, lists, angles });
      }
      recorder.submit();
    });
  }

  destroy(): void {
    this.#scratch.destroy();
  }

  #front(layer: number, head: number): Map<number, Front> {
    return this.#fronts[layer]?.[head] as Map<number, Front>;
  }

  #words(layer: number, head: number, slot: number): readonly number[] {
    const { copy, shift } = this.#front(layer, head).get(slot) as Front;
    return [slot, copy, shift];
  }

  /** Number of copies of a layer so far, the index of the next one. */
  #count(layer: number): number {
    const last = (this.#fronts[layer] ?? []).flatMap((front) =>
      [...front.values()].map(({ copy }) => copy + 1),
    );
    return Math.max(0, ...last);
  }

  /** Buffer for the copies of a layer; grows by doubling. */
  #copiesOf(layer: number): GPUBuffer {
    const bytes = this.#count(layer) * this.#cache.shape.headDim * 4;
    const known = this.#copies[layer];
    if (known && known.size >= bytes) return known;
    const grown = this.#scratch.numbers(`key copies ${layer}`, bytes / 2);
    if (known) {
      const { device } = this.#cache.gpu;
      const encoder = device.createCommandEncoder({ label: grown.label });
      encoder.copyBufferToBuffer(known, 0, grown, 0, known.size);
      device.queue.submit([encoder.finish()]);
      this.#scratch.free(known);
    }
    this.#copies[layer] = grown;
    return grown;
  }

  /** Angles of 0, 1, 2 … positions, as many as any row has moved. */
  #angleTable(): GPUBuffer {
    const shifts = this.#fronts.flat().flatMap((front) => [...front.values()].map((f) => f.shift));
    const needed = shifts.reduce((most, count) => Math.max(most, count), 0) + 1;
    if (this.#angles && needed <= this.#angleCount) return this.#angles;
    if (this.#angles) this.#scratch.free(this.#angles);
    this.#angleCount = Math.ceil(needed / MORE_ANGLES) * MORE_ANGLES;
    const table = rotaryAngles(frequenciesOf(this.#cache), 0, this.#angleCount);
    this.#angles = this.#scratch.upload("angles", table);
    return this.#angles;
  }
}
