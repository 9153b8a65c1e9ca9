import type { TapPrompt } from "@/compression/taps/prompt";
import type { TapSpec, Taps } from "@/compression/taps/registry";
import type { Gpu } from "@/gpu/gpu";
import { compileNamed } from "@/gpu/kernels/common/kernelCall";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import { type TapAttention, tapAttentionKernels } from "@/gpu/kernels/taps/tapAttention";
import { type TapKeys, tapKeyKernels } from "@/gpu/kernels/taps/tapKeys";
import type { Queries, Weighting } from "@/gpu/kernels/taps/tapScores";
import type { Recorder } from "@/gpu/recorder";
import type { AttentionHook, AttentionRecord } from "../decoder/hooks";
import type { KvCache, RowCounts } from "../kv/cache";
import { Scratch } from "../scratch";
import { type TapGeometry, tapGeometry } from "./geometry";
import { attentionKernelsFor, checkCachedSpan, keyKernelsFor } from "./kernels";
import { createKeyTaps, type KeyTap } from "./keyTaps";
import { rowScores } from "./output";
import { TailPass } from "./tailTaps";

/** Column sums are split over queries to reach about this many invocations. */
const BUSY_INVOCATIONS = 4096;
const MOST_SPLITS = 16;

export interface TapInput {
  readonly cache: KvCache;
  /** H, query heads. */
  readonly heads: number;
  readonly spec: TapSpec;
  readonly prompt: TapPrompt;
  readonly reduction: Reduction;
  /**
   * Score the cached span, the rows that stood in the cache before the prompt, instead of the prompt's
   * own rows. Only `columnSum`, `lastRow`, `window` (mean or max) and `keyStats` are defined on it. They
   * are as long as the longest head, and 0 beyond a shorter one.
   */
  readonly cachedSpan?: boolean;
}

/**
 * Records the taps that a policy requests during a prefill.
 *
 * Create it before the prompt is appended to the cache, pass it to the decoder as a hook, and call
 * `finish` after the last chunk and before the cache is compacted. Column sums accumulate chunk by
 * chunk. For all other taps the queries of the last rows are stored (at most `TAIL_LIMIT`;
 * `notices` reports a truncation) and processed when all keys are cached.
 */
export class TapRecorder implements AttentionHook {
  readonly notices: readonly string[];
  readonly #gpu: Gpu;
  readonly #input: TapInput;
  readonly #geometry: TapGeometry;
  readonly #attention: TapAttention;
  readonly #keys: TapKeys;
  readonly #scratch: Scratch;
  readonly #start: RowCounts;
  readonly #domains: GPUBuffer;
  readonly #tails = new Map<number, Queries>();
  readonly #sums: readonly ColumnSums[];
  readonly #splits: number;
  #version: number | undefined;

  private constructor(
    gpu: Gpu,
    input: TapInput,
    geometry: TapGeometry,
    kernels: { readonly attention: TapAttention; readonly keys: TapKeys },
  ) {
    const { layers, kvHeads, paddedKeys, notices } = geometry;
    this.#gpu = gpu;
    this.#input = input;
    this.#geometry = geometry;
    this.#attention = kernels.attention;
    this.#keys = kernels.keys;
    this.notices = notices;
    this.#start = input.cache.rowCounts();
    this.#scratch = new Scratch(gpu, "tap");
    this.#domains = this.#scratch.numbers("domains", layers * kvHeads * 4);
    const busy = (paddedKeys / 4) * kvHeads;
    this.#splits = Math.min(MOST_SPLITS, Math.max(1, Math.ceil(BUSY_INVOCATIONS / busy)));
    const count = layers * kvHeads * paddedKeys;
    this.#sums = columnSums(input.spec, input.prompt).map((sums) => ({
      ...sums,
      planes: this.#scratch.numbers(`${sums.name} planes`, this.#splits * count),
      sums: this.#scratch.numbers(sums.name, count),
    }));
  }

  /** @throws RangeError for a tap that is not defined on the cached span; KernelCompileError */
  static async create(gpu: Gpu, input: TapInput): Promise<TapRecorder> {
    const { cache, heads, spec, prompt, reduction, cachedSpan = false } = input;
    const { layers, kvHeads, headDim, kvType } = cache.shape;
    if (cachedSpan) checkCachedSpan(spec);
    const longest = Math.max(...cache.rowCounts().flat());
    const keys = cachedSpan ? longest : prompt.rows;
    const shape = { heads, kvHeads, headDim, kvType, reduction, keys };
    const [attention, keyKernels] = await Promise.all([
      compileNamed(tapAttentionKernels(gpu, shape), attentionKernelsFor(spec)),
      compileNamed(tapKeyKernels(gpu, shape), keyKernelsFor(spec)),
    ]);
    const geometry = tapGeometry(spec, prompt, { layers, heads, kvHeads, keys });
    return new TapRecorder(gpu, input, geometry, { attention, keys: keyKernels });
  }

  afterAttention(recorder: Recorder, { layer, firstRow, rows, q, lse }: AttentionRecord): void {
    this.#writeDomains();
    const queries = { q, lse };
    for (const { planes, weighting } of this.#sums) {
      const { k } = this.#input.cache.layer(layer);
      const args = { domains: this.#domains, k, queries, planes, layer, weighting };
      this.#attention.columnSum(recorder, { ...args, firstRow, rows, splits: this.#splits });
    }
    const { rows: all, tailRows } = this.#geometry;
    const first = Math.max(firstRow, all - tailRows);
    const kept = firstRow + rows - first;
    if (kept > 0) {
      this.#attention.copyRows(recorder, {
        from: queries,
        to: this.#tail(layer),
        fromRow: first - firstRow,
        toRow: first - (all - tailRows),
        rows: kept,
      });
    }
  }

  /**
   * Runs the passes that need all keys, reads all results back at once and frees the scratch
   * buffers.
   * @throws TapError when a tap holds a number that is not finite
   */
  async finish(): Promise<Taps> {
    const { cache, spec, prompt } = this.#input;
    const { layers, kvHeads: heads, keys: rows, paddedKeys: paddedRows } = this.#geometry;
    const shared = { geometry: this.#geometry, scratch: this.#scratch };
    try {
      this.#writeDomains();
      const context = { ...shared, kernels: this.#keys, headDim: cache.shape.headDim };
      const keyTaps = createKeyTaps(spec, context);
      const tail =
        this.#geometry.tailRows > 0
          ? new TailPass(spec, { ...shared, kernels: this.#attention, prompt })
          : undefined;
      this.#run(tail, keyTaps);

      const shape = { layers, heads, rows, paddedRows };
      const sums = this.#sums.map(({ name, sums }) => ({
        outputs: [sums],
        take: ([bytes]: readonly ArrayBuffer[]): Partial<Taps> => ({
          [name]: rowScores(bytes as ArrayBuffer, { name, ...shape }),
        }),
      }));
      const taps = [...sums, ...(tail?.taps ?? []), ...keyTaps];
      const bytes = [...(await this.#scratch.read(taps.flatMap((tap) => tap.outputs)))];
      const taken = taps.map((tap) => tap.take(bytes.splice(0, tap.outputs.length)));
      return Object.assign({}, ...taken) as Taps;
    } finally {
      this.destroy();
    }
  }

  /** Frees everything; for a cancelled prefill. */
  destroy(): void {
    this.#scratch.destroy();
    this.#tails.clear();
  }

  #run(tail: TailPass | undefined, keys: readonly KeyTap[]): void {
    const { cache } = this.#input;
    const domains = this.#domains;
    const recorder = this.#gpu.recorder("taps");
    const { layers } = this.#geometry;
    for (const { planes, sums } of this.#sums) {
      this.#attention.sumPlanes(recorder, { planes, sums, layers, splits: this.#splits });
    }
    for (let layer = 0; layer < layers; layer++) {
      const { k, v } = cache.layer(layer);
      const queries = this.#tails.get(layer);
      if (queries) tail?.layer(recorder, { layer, domains, k, tail: queries });
      for (const tap of keys) tap.layer(recorder, { layer, domains, k, v });
      recorder.submit();
      if (!queries) continue;
      this.#scratch.free(queries.q);
      this.#scratch.free(queries.lse);
      this.#tails.delete(layer);
    }
    recorder.destroy();
  }

  #tail(layer: number): Queries {
    const known = this.#tails.get(layer);
    if (known) return known;
    const { tailRows, heads } = this.#geometry;
    const { headDim } = this.#input.cache.shape;
    const q = this.#scratch.numbers(`tail q ${layer}`, tailRows * heads * headDim);
    const tail = { q, lse: this.#scratch.numbers(`tail lse ${layer}`, tailRows * heads) };
    this.#tails.set(layer, tail);
    return tail;
  }

  /** Where each head's domain lies; written again whenever the cache has moved. */
  #writeDomains(): void {
    const { cache, cachedSpan = false } = this.#input;
    if (cache.version === this.#version) return;
    this.#version = cache.version;
    const { kvHeads } = cache.shape;
    const words = new Uint32Array(this.#geometry.layers * kvHeads * 4);
    for (const [layer, counts] of this.#start.entries()) {
      const regions = cache.regions(layer);
      for (const [head, before] of counts.entries()) {
        const offset = regions[head]!.offset;
        const line = cachedSpan
          ? [offset, before, before]
          : [offset + before, this.#geometry.keys, 0];
        words.set(line, (layer * kvHeads + head) * 4);
      }
    }
    this.#gpu.device.queue.writeBuffer(this.#domains, 0, words);
  }
}

interface ColumnSums {
  readonly name: "columnSum" | "movingAverage";
  readonly weighting: Weighting;
  /** [layers, splits, kvHeads, keys] */
  readonly planes: GPUBuffer;
  /** [layers, kvHeads, keys] */
  readonly sums: GPUBuffer;
}

/** The sums over all queries that a policy asked for. */
function columnSums(
  { columnSum, movingAverage }: TapSpec,
  { rows }: TapPrompt,
): readonly Pick<ColumnSums, "name" | "weighting">[] {
  const lastRow = rows - 1;
  const decay = movingAverage?.decay ?? 1;
  const averaged = { lastRow, decay, factor: 1 - decay };
  const plain = { lastRow, decay: 1, factor: 1 };
  return [
    ...(columnSum ? [{ name: "columnSum", weighting: plain } as const] : []),
    ...(movingAverage ? [{ name: "movingAverage", weighting: averaged } as const] : []),
  ];
}
