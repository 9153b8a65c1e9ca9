import {
  NO_COLUMN,
  PLACE_ALWAYS,
  PLACE_NEVER,
  type StepAttentionKernels,
  stepAttentionKernels,
  stepLineBytes,
} from "@/gpu/kernels/attention/stepAttention";
import { compileNamed } from "@/gpu/kernels/common/kernelCall";
import type { Recorder } from "@/gpu/recorder";
import type { KvCache } from "../kv/cache";
import { Scratch } from "../scratch";
import type { AttentionRecord, DecodeHook, StepWrites } from "./hooks";

/** Size limit of one answer's record in bytes; later steps are not recorded. */
export const STEP_ATTENTION_BYTES = 16 * 1024 * 1024;

/** The original position of each slot's row, on the GPU, for rules that move rows between slots. */
export interface MovingSlots {
  /** u32 [flat rows]; replaced whenever the cache's buffers are. */
  readonly positions: GPUBuffer;
}

interface StepAttentionInput {
  readonly cache: KvCache;
  /** H, query heads. */
  readonly heads: number;
  /** Original positions of the rows to watch, ascending; at least one. */
  readonly positions: readonly number[];
  /** Steps to record; limited by `STEP_ATTENTION_BYTES`. */
  readonly steps: number;
  /** Absent if no row changes its slot while decoding. */
  readonly slots?: MovingSlots | undefined;
}

/**
 * Records the attention of each decoding step to the watched rows. As a hook of the decoder, one
 * dispatch after each layer's attention writes a byte per row into one buffer, which is read once
 * at the end of the answer. The rows' slots are stored before the first step and by `follow`. If rows are
 * evicted, one more dispatch per step locates them in all layers.
 */
export class StepAttention implements DecodeHook {
  /** Largest number of recorded steps. */
  readonly steps: number;
  readonly #input: StepAttentionInput;
  readonly #kernels: StepAttentionKernels;
  readonly #scratch: Scratch;
  readonly #clock: GPUBuffer;
  readonly #places: GPUBuffer;
  readonly #columns: GPUBuffer | undefined;
  readonly #cells: GPUBuffer;
  #step = 0;

  private constructor(input: StepAttentionInput, kernels: StepAttentionKernels) {
    const { cache, positions, slots } = input;
    const stepBytes = cache.shape.layers * stepLineBytes(positions.length);
    this.steps = Math.min(input.steps, Math.floor(STEP_ATTENTION_BYTES / stepBytes));
    this.#input = input;
    this.#kernels = kernels;
    this.#scratch = new Scratch(cache.gpu, "step attention");
    this.#clock = this.#scratch.numbers("clock", 2);
    this.#places = this.#scratch.upload("places", slots ? noPlaces(input) : fixedPlaces(input));
    this.#columns = slots && this.#scratch.upload("columns", columnsByPosition(input));
    this.#cells = this.#scratch.numbers("cells", Math.max(1, (this.steps * stepBytes) / 4));
  }

  /** Call it before the first step, after the cache was compacted. @throws KernelCompileError, OutOfMemoryError */
  static async create(input: StepAttentionInput): Promise<StepAttention> {
    const { cache, heads, slots } = input;
    const { kvHeads, headDim, kvType } = cache.shape;
    const kernels = stepAttentionKernels(cache.gpu, { heads, kvHeads, headDim, kvType });
    const names = new Set<keyof StepAttentionKernels>(
      slots ? ["attention", "locate"] : ["attention"],
    );
    const compiled = await compileNamed(kernels, names);
    return cache.gpu.memory.allOrNothing(() => new StepAttention(input, compiled));
  }

  /** Call it after rows have moved between two steps, unless `slots` tells where they are. */
  follow(): void {
    if (this.#input.slots) return;
    const { device } = this.#input.cache.gpu;
    device.queue.writeBuffer(this.#places, 0, fixedPlaces(this.#input));
  }

  beforeStep(writes: StepWrites): void {
    writes.write(this.#clock, Uint32Array.of(this.#step++, this.#input.cache.seen));
  }

  afterAttention(recorder: Recorder, { layer, q, lse }: AttentionRecord): void {
    const { cache, positions, slots } = this.#input;
    const { layers } = cache.shape;
    const step = {
      table: cache.table,
      clock: this.#clock,
      places: this.#places,
      layers,
      watched: positions.length,
    };
    if (layer === 0 && slots && this.#columns) {
      const capacity = cache.largestCapacity();
      const moved = { columns: this.#columns, positions: slots.positions, capacity };
      this.#kernels.locate(recorder, { ...step, ...moved });
    }
    this.#kernels.attention(recorder, {
      ...step,
      k: cache.layer(layer).k,
      query: { q, lse },
      cells: this.#cells,
      layer,
      steps: this.steps,
    });
  }

  /**
   * The first `count` recorded steps: [steps, layers, positions] bytes; b means (b / 255)². Waits
   * for the GPU.
   */
  async read(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const { cache, positions } = this.#input;
    const columns = positions.length;
    const lineBytes = stepLineBytes(columns);
    const lines = Math.min(count, this.steps) * cache.shape.layers;
    if (lines === 0) return new Uint8Array();
    const padded = new Uint8Array(await cache.gpu.read(this.#cells, 0, lines * lineBytes));
    if (lineBytes === columns) return padded;
    const cells = new Uint8Array(lines * columns);
    for (let line = 0; line < lines; line++) {
      const from = line * lineBytes;
      cells.set(padded.subarray(from, from + columns), line * columns);
    }
    return cells;
  }

  destroy(): void {
    this.#scratch.destroy();
  }
}

/** Places that a kernel locates in each step. */
function noPlaces({ cache, positions }: StepAttentionInput): Uint32Array<ArrayBuffer> {
  const { layers, kvHeads } = cache.shape;
  return new Uint32Array(layers * kvHeads * positions.length * 2).fill(PLACE_NEVER);
}

/** The slot that holds each position, per layer and head. */
function fixedPlaces(input: StepAttentionInput): Uint32Array<ArrayBuffer> {
  const { cache, positions } = input;
  const { layers, kvHeads } = cache.shape;
  const columns = columnsByPosition(input);
  const places = noPlaces(input);
  for (let unit = 0; unit < layers * kvHeads; unit++) {
    const held = cache.positions(Math.floor(unit / kvHeads), unit % kvHeads);
    for (const [slot, position] of held.entries()) {
      const column = columns[position] ?? NO_COLUMN;
      if (column === NO_COLUMN) continue;
      places.set([slot, PLACE_ALWAYS], (unit * positions.length + column) * 2);
    }
  }
  return places;
}

/** Column of each position up to the last watched one. */
function columnsByPosition({ positions }: StepAttentionInput): Uint32Array<ArrayBuffer> {
  const columns = new Uint32Array((positions.at(-1) ?? 0) + 1).fill(NO_COLUMN);
  for (const [column, position] of positions.entries()) columns[position] = column;
  return columns;
}
