import type { TapPrompt } from "@/compression/taps/prompt";
import type { SpecOf, TAPS, TapDefinitions, ValuesOfTaps } from "@/compression/taps/registry";
import type { Gpu } from "@/gpu/gpu";
import type { Queries } from "@/gpu/kernels/attention/queries";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import type { Recorder } from "@/gpu/recorder";
import type { AttentionHook, AttentionRecord } from "../decoder/hooks";
import type { KvCache } from "../kv/cache";
import type { RowCounts } from "../kv/layout";
import { runOnce, Scratch } from "../scratch";
import { type TapGeometry, tapGeometry } from "./geometry";
import { TAP_KERNELS } from "./registry";
import { spanWords } from "./spans";
import { compileTail, type StartedTail, type TailPass, type TailTap } from "./tail";
import {
  type KernelsOf,
  paddedKeys,
  type RecordedTap,
  type TapContext,
  type TapShape,
} from "./tap";

export interface TapInput<D extends TapDefinitions = typeof TAPS> {
  readonly cache: KvCache;
  /** H, query heads. */
  readonly heads: number;
  readonly spec: NoInfer<SpecOf<D>>;
  readonly prompt: TapPrompt;
  readonly reduction: Reduction;
  /**
   * Score the cached span, the rows that stood in the cache before the prompt, instead of the prompt's
   * own rows. Not every tap is defined on it (`TapKernels.scoresCachedSpan`). The scores are as long as the
   * longest head, and 0 beyond a shorter one.
   */
  readonly cachedSpan?: boolean;
  /**
   * The prompt's first rows, as many in every head, are in the cache already, as its last rows; the
   * prefill computes the others. Queries of the cached rows are not recorded. Default: 0.
   */
  readonly cachedRows?: number;
  /** Default: the registry. */
  readonly kernels?: KernelsOf<D>;
}

/** Dispatches of the tail pass that share a submit: a submit takes the CPU longer than a short layer takes the GPU. */
const SUBMITTED_TOGETHER = 128;
/** Dispatches of the last chunk with the tail pass of its layers, far below the slots of a recorder. */
const MOST_IN_CHUNK = 2048;
/** Most dispatches of a tap for a layer beside those of the tail pass. */
const MOST_PER_LAYER = 8;

/** A tap that was asked for, its kernels compiled. */
interface PreparedTap {
  readonly name: string;
  readonly during: "prefill" | undefined;
  /** Last rows of the prompt that it needs. */
  readonly wanted: number;
  readonly start: (context: TapContext) => RecordedTap<unknown>;
}

/** A tap whose buffers are there. */
interface StartedTap extends TailTap {
  readonly name: string;
}

/**
 * Records the taps that a policy requests during a prefill.
 *
 * Create it before the prompt is appended to the cache, pass it to the decoder as a hook, and call
 * `finish` after the last chunk and before the cache is compacted. Sums over all queries accumulate
 * chunk by chunk. All other taps process the last rows (at most `TAIL_LIMIT`; `notices` reports a truncation)
 * when a layer's keys are cached: with the last chunk if it holds all of them, else their queries are stored.
 */
export class TapRecorder<D extends TapDefinitions = typeof TAPS> implements AttentionHook {
  readonly notices: TapGeometry["notices"];
  readonly #gpu: Gpu;
  readonly #input: TapInput<D>;
  readonly #shape: TapShape;
  readonly #geometry: TapGeometry;
  readonly #later: PreparedTap[];
  readonly #tail: TailPass | undefined;
  readonly #scratch: Scratch;
  readonly #start: RowCounts;
  readonly #spans: GPUBuffer;
  readonly #queries = new Map<number, Queries>();
  readonly #started: StartedTap[];
  #startedTail: StartedTail | undefined;
  #version: number | undefined;

  private constructor(
    gpu: Gpu,
    input: TapInput<D>,
    shape: TapShape,
    taps: { readonly prepared: readonly PreparedTap[]; readonly tail: TailPass | undefined },
  ) {
    const { cache, prompt, cachedRows = 0 } = input;
    const { layers, kvHeads } = cache.shape;
    const { heads, keys } = shape;
    this.#gpu = gpu;
    this.#input = input;
    this.#shape = shape;
    this.#geometry = tapGeometry(
      taps.prepared.map(({ wanted }) => Math.min(wanted, prompt.rows - cachedRows)),
      { layers, heads, kvHeads, rows: prompt.rows, keys, paddedKeys: paddedKeys(keys) },
    );
    this.#tail = taps.tail;
    this.notices = this.#geometry.notices;
    this.#start = cache.rowCounts().map((counts) => counts.map((rows) => rows - cachedRows));
    this.#scratch = new Scratch(gpu, "tap");
    this.#spans = this.#scratch.numbers("spans", layers * kvHeads * 4);
    const isEarly = ({ during }: PreparedTap) => during === "prefill";
    this.#started = taps.prepared.filter(isEarly).map((tap) => this.#begin(tap));
    this.#later = taps.prepared.filter((tap) => !isEarly(tap));
  }

  /** @throws RangeError for a tap that is not defined on the cached span; KernelCompileError, OutOfMemoryError */
  static async create<D extends TapDefinitions = typeof TAPS>(
    gpu: Gpu,
    input: TapInput<D>,
  ): Promise<TapRecorder<D>> {
    const { cache, heads, spec, prompt, reduction, cachedSpan = false } = input;
    const { kvHeads, headDim, kvType } = cache.shape;
    const longest = Math.max(...cache.rowCounts().flat());
    const keys = cachedSpan ? longest : prompt.rows;
    const shape = { heads, kvHeads, headDim, kvType, reduction, keys };
    const kernels = (input.kernels ?? TAP_KERNELS) as KernelsOf<TapDefinitions>;
    const asked = Object.entries(spec).filter(([, each]) => each !== undefined);
    for (const [name, each] of asked) {
      if (cachedSpan && !kernels[name]!.scoresCachedSpan?.(each)) {
        throw new RangeError(`taps: ${name} is not defined on the cached span`);
      }
    }
    const wanted = asked.map(([name, each]) => kernels[name]!.tailRows?.(each, prompt) ?? 0);
    const [tail, ...prepared] = await Promise.all([
      wanted.some((rows) => rows > 0) ? compileTail(gpu, shape) : undefined,
      ...asked.map(async ([name, each], i): Promise<PreparedTap> => {
        const { during, prepare } = kernels[name]!;
        return { name, during, wanted: wanted[i]!, start: await prepare(gpu, shape, each) };
      }),
    ]);
    return gpu.memory.allOrNothing(() => new TapRecorder(gpu, input, shape, { prepared, tail }));
  }

  afterAttention(recorder: Recorder, record: AttentionRecord): void {
    this.#writeSpans();
    const { layer, rows, q, lse } = record;
    const firstRow = record.firstRow + (this.#input.cachedRows ?? 0);
    const queries = { q, lse };
    const cached = this.#input.cache.layer(layer);
    for (const { tap } of this.#started) {
      tap.chunk?.(recorder, { ...cached, spans: this.#spans, layer, queries, firstRow, rows });
    }
    const { rows: all, tailRows } = this.#geometry;
    const first = Math.max(firstRow, all - tailRows);
    const kept = firstRow + rows - first;
    if (kept <= 0) return;
    if (kept === tailRows) {
      const tail = this.#startTail();
      if (tail && recorder.dispatches + tail.dispatches <= MOST_IN_CHUNK) {
        const place = { layer, spans: this.#spans, k: cached.k };
        tail.runLayer(recorder, { ...place, tail: queries, firstRow: first - firstRow });
        return;
      }
    }
    this.#tail?.copyRows(recorder, {
      from: queries,
      to: this.#tailQueries(layer),
      fromRow: first - firstRow,
      toRow: first - (all - tailRows),
      rows: kept,
    });
  }

  /**
   * Runs the passes that need all keys, reads all results back at once and frees the scratch
   * buffers.
   * @throws TapError when a tap holds a number that is not finite
   */
  async finish(): Promise<ValuesOfTaps<D>> {
    try {
      this.#writeSpans();
      this.#run();
      const outputs = this.#started.flatMap(({ tap }) => tap.outputs);
      const bytes = [...(await this.#scratch.read(outputs))];
      const values = this.#started.map(({ name, tap }) => {
        return [name, tap.take(bytes.splice(0, tap.outputs.length))] as const;
      });
      return Object.fromEntries(values) as ValuesOfTaps<D>;
    } finally {
      this.destroy();
    }
  }

  /** Frees everything; for a cancelled prefill. */
  destroy(): void {
    this.#scratch.destroy();
    this.#queries.clear();
  }

  #begin({ name, wanted, start }: PreparedTap): StartedTap {
    const { prompt } = this.#input;
    const [shape, geometry, scratch] = [this.#shape, this.#geometry, this.#scratch];
    const ownRows = Math.min(wanted, geometry.tailRows);
    return { name, ownRows, tap: start({ shape, geometry, prompt, ownRows, scratch }) };
  }

  /** Allocates the buffers of the taps that need all keys, and of the pass over the last rows. */
  #startTail(): StartedTail | undefined {
    this.#started.push(...this.#later.splice(0).map((tap) => this.#begin(tap)));
    this.#startedTail ??= this.#tail?.start(this.#scratch, this.#geometry, this.#started);
    return this.#startedTail;
  }

  #run(): void {
    const { cache } = this.#input;
    const spans = this.#spans;
    const tail = this.#startTail();
    const layerSlots = (tail?.dispatches ?? 0) + MOST_PER_LAYER * this.#started.length;
    const slots = SUBMITTED_TOGETHER + layerSlots;
    runOnce(this.#gpu, "taps", slots, (_, recorder) => {
      for (const { tap } of this.#started) tap.end?.(recorder);
      for (let layer = 0; layer < this.#geometry.layers; layer++) {
        if (recorder.dispatches >= SUBMITTED_TOGETHER) recorder.submit();
        const { k, v } = cache.layer(layer);
        const queries = this.#queries.get(layer);
        if (queries) tail?.runLayer(recorder, { layer, spans, k, tail: queries, firstRow: 0 });
        for (const { tap } of this.#started) tap.layer?.(recorder, { layer, spans, k, v });
      }
      if (recorder.dispatches > 0) recorder.submit();
    });
  }

  #tailQueries(layer: number): Queries {
    const known = this.#queries.get(layer);
    if (known) return known;
    const { tailRows, heads } = this.#geometry;
    const q = this.#scratch.numbers(`tail q ${layer}`, tailRows * heads * this.#shape.headDim);
    const tail = { q, lse: this.#scratch.numbers(`tail lse ${layer}`, tailRows * heads) };
    this.#queries.set(layer, tail);
    return tail;
  }

  /** Location of each head's span; written again whenever the cache's buffers change. */
  #writeSpans(): void {
    const { cache, cachedSpan = false } = this.#input;
    if (cache.version === this.#version) return;
    this.#version = cache.version;
    const { keys } = this.#geometry;
    const words = spanWords(cache, this.#start, cachedSpan ? "before" : { keys });
    this.#gpu.device.queue.writeBuffer(this.#spans, 0, words);
  }
}
