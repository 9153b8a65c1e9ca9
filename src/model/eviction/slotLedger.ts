import type { RowScores } from "@/compression/taps/tap";
import type { SlotScores } from "@/gpu/kernels/cache/evict";
import type { KvCache } from "../kv/cache";
import type { KvRegion } from "../kv/layout";
import type { Scratch } from "../scratch";

export interface SlotLedgerInput {
  readonly cache: KvCache;
  /** Tokens seen before the prompt: `sums` count their rows from there. */
  readonly seenBefore: number;
  /** Column sums of the prompt, if the scores start from them; rows as in the policy's input. */
  readonly sums?: RowScores;
}

/**
 * Running score and original position of every slot, on the GPU, in the cache's layout with all
 * layers concatenated. It moves with the cache. It is empty if not needed.
 */
export class SlotLedger implements SlotScores {
  readonly clock: GPUBuffer;
  readonly isUsed: boolean;
  readonly #input: SlotLedgerInput;
  readonly #scratch: Scratch;
  #scores: GPUBuffer;
  #positions: GPUBuffer;
  #regions: readonly (readonly KvRegion[])[];
  #version: number;

  /** @param isUsed else it holds nothing */
  constructor(scratch: Scratch, input: SlotLedgerInput, { isUsed }: { readonly isUsed: boolean }) {
    this.#scratch = scratch;
    this.#input = input;
    this.isUsed = isUsed;
    this.#version = input.cache.version;
    this.#regions = this.#currentRegions();
    this.clock = scratch.numbers("clock", 1);
    const { scores, positions } = this.#initial();
    this.#scores = scratch.upload("scores", scores);
    this.#positions = scratch.upload("positions", positions);
  }

  get scores(): GPUBuffer {
    return this.#scores;
  }

  get positions(): GPUBuffer {
    return this.#positions;
  }

  /** Writes the position of the row that the next step appends. */
  setClock(): void {
    const { cache } = this.#input;
    cache.gpu.device.queue.writeBuffer(this.clock, 0, Uint32Array.of(cache.seen));
  }

  /** Moves scores and positions to the cache's current slots. */
  follow(): void {
    const { cache } = this.#input;
    if (!this.isUsed || cache.version === this.#version) return;
    const before = this.#regions.flat();
    this.#version = cache.version;
    this.#regions = this.#currentRegions();
    const scores = this.#scratch.numbers("scores", cache.flatRows);
    const positions = this.#scratch.numbers("positions", cache.flatRows);
    const { device } = cache.gpu;
    const encoder = device.createCommandEncoder({ label: "slots follow" });
    const to = flatOffsets(this.#regions.flat());
    for (const [i, from] of flatOffsets(before).entries()) {
      const bytes = Math.min(before[i]!.capacity, this.#regions.flat()[i]!.capacity) * 4;
      const [source, target] = [from * 4, to[i]! * 4];
      if (bytes === 0) continue;
      encoder.copyBufferToBuffer(this.#scores, source, scores, target, bytes);
      encoder.copyBufferToBuffer(this.#positions, source, positions, target, bytes);
    }
    device.queue.submit([encoder.finish()]);
    this.#scratch.free(this.#scores);
    this.#scratch.free(this.#positions);
    this.#scores = scores;
    this.#positions = positions;
  }

  /** Updates the cache's record of the rows in its slots. */
  async relabel(): Promise<void> {
    const { cache } = this.#input;
    this.follow();
    const [bytes] = await this.#scratch.read([this.#positions]);
    const all = new Uint32Array(bytes as ArrayBuffer);
    const offsets = flatOffsets(this.#regions.flat());
    for (const [layer, regions] of this.#regions.entries()) {
      const heads = cache.hasHeadLists(layer) ? regions.length : 1;
      const lists = Array.from({ length: heads }, (_, head) => {
        const at = offsets[layer * regions.length + head] as number;
        return Array.from(all.subarray(at, at + cache.rows(layer, head)));
      });
      cache.relabel(layer, lists);
    }
  }

  #currentRegions(): readonly (readonly KvRegion[])[] {
    const { cache } = this.#input;
    return Array.from({ length: cache.shape.layers }, (_, layer) => cache.regions(layer));
  }

  /** Initial values of each slot: its row's position, and its column sum if sums are used. */
  #initial() {
    const { cache, seenBefore, sums } = this.#input;
    const length = this.isUsed ? cache.flatRows : 1;
    const scores = new Float32Array(length);
    const positions = new Uint32Array(length);
    if (!this.isUsed) return { scores, positions };
    const offsets = flatOffsets(this.#regions.flat());
    for (const [layer, regions] of this.#regions.entries()) {
      for (const head of regions.keys()) {
        const at = offsets[layer * regions.length + head] as number;
        const list = cache.positions(layer, head);
        positions.set(list, at);
        if (!sums) continue;
        const line = (layer * sums.heads + (sums.heads === 1 ? 0 : head)) * sums.rows;
        for (const [slot, position] of list.entries()) {
          const row = position - seenBefore;
          if (row >= 0) scores[at + slot] = sums.data[line + row] as number;
        }
      }
    }
    return { scores, positions };
  }
}

function flatOffsets(regions: readonly KvRegion[]): readonly number[] {
  let offset = 0;
  return regions.map(({ capacity }) => {
    offset += capacity;
    return offset - capacity;
  });
}
