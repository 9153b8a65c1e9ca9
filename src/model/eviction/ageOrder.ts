import type { KvCache } from "../kv/cache";
import type { RowCounts } from "../kv/layout";

/**
 * The rows of one list under a decode rule, in order of age, as known to the CPU while decoding.
 * For victims by age, the slots are known. For victims by score, only the counts and the positions
 * of exempt rows are known; this is sufficient, because exempt rows are never evicted.
 */
export class AgedRows {
  /** First slot under the rule. */
  readonly base: number;
  /** Original positions of these rows at the start of decoding, ascending. */
  readonly #prompt: readonly number[];
  /** Original position of the next row at the start of decoding. */
  readonly #first: number;
  /** Slots of these rows, oldest first. */
  readonly #slots: number[];
  #appended = 0;

  constructor(positions: readonly number[], base: number, next: number) {
    this.base = base;
    this.#prompt = positions.slice(base);
    this.#first = next;
    this.#slots = this.#prompt.map((_, i) => base + i);
  }

  get governed(): number {
    return this.#slots.length;
  }

  append(): void {
    this.#slots.push(this.base + this.#slots.length);
    this.#appended++;
  }

  /** Slot of the row at an index in the order of age. @throws RangeError */
  take(place: number): number {
    const slot = this.#slots[place];
    if (slot === undefined) {
      throw new RangeError(`eviction: place ${place} of ${this.#slots.length} rows`);
    }
    return slot;
  }

  /**
   * Slots of all rows older than the one at an index, after the last slot's row moved into its
   * slot.
   */
  olderThan(place: number): readonly number[] {
    const ungoverned = Array.from({ length: this.base }, (_, slot) => slot);
    const last = this.base + this.#slots.length - 1;
    const older = this.#slots.slice(0, place);
    return [...ungoverned, ...older.map((slot) => (slot === last ? this.take(place) : slot))];
  }

  /** Whether there is a row that is not exempt. */
  canGive(protectFirst: number, protectLast: number): boolean {
    return this.#slots.length > protectFirst + protectLast;
  }

  /** Positions below the first and from the second on are exempt. */
  exempt(protectFirst: number, protectLast: number): readonly [number, number] {
    const { length } = this.#prompt;
    const low =
      protectFirst < length
        ? (this.#prompt[protectFirst] as number)
        : this.#first + protectFirst - length;
    if (this.#appended >= protectLast) return [low, this.#first + this.#appended - protectLast];
    const fromPrompt = length - (protectLast - this.#appended);
    return [low, this.#prompt[fromPrompt] ?? 0];
  }

  /**
   * Records that the last slot's row moved to `slot`, or that a row of an unknown slot was evicted.
   */
  vacate(slot: number): void {
    const last = this.base + this.#slots.length - 1;
    const place = this.#slots.lastIndexOf(slot);
    const moved = this.#slots.lastIndexOf(last);
    if (place < 0) {
      this.#slots.pop();
      return;
    }
    this.#slots[moved] = slot;
    this.#slots.splice(place, 1);
  }
}

/** The rows under the rule in every layer: one list for all heads, or one per head. */
export class AgeOrder {
  readonly #layers: readonly (readonly AgedRows[])[];

  constructor(cache: KvCache, start: RowCounts) {
    this.#layers = start.map((bases, layer) =>
      Array.from({ length: cache.hasHeadLists(layer) ? bases.length : 1 }, (_, head) => {
        return new AgedRows(cache.positions(layer, head), bases[head] as number, cache.seen);
      }),
    );
  }

  lists(layer: number): readonly AgedRows[] {
    return this.#layers[layer] as readonly AgedRows[];
  }

  append(): void {
    for (const list of this.#layers.flat()) list.append();
  }

  /** One slot per list; negative if the list lost no row. */
  vacate(layer: number, slots: readonly number[]): void {
    for (const [i, list] of this.lists(layer).entries()) {
      const slot = slots[i] as number;
      if (slot >= 0) list.vacate(slot);
    }
  }
}
