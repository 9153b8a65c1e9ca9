import type { TapPrompt } from "@/compression/taps/prompt";
import type { TapDefinitions } from "@/compression/taps/registry";
import type { Gpu } from "@/gpu/gpu";
import type { Queries } from "@/gpu/kernels/attention/queries";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import type { Recorder } from "@/gpu/recorder";
import type { Scratch } from "../scratch";
import type { TapGeometry } from "./geometry";

/** Sizes that the kernels of one prompt's taps share. */
export interface TapShape {
  /** H, query heads. */
  readonly heads: number;
  /** G */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly kvType: KvType;
  readonly reduction: Reduction;
  /** Keys of the span, per head. */
  readonly keys: number;
}

/** Keys padded to whole vec4s. */
export function paddedKeys(keys: number): number {
  return Math.ceil(keys / 4) * 4;
}

/** The GPU part of a tap: the rows that it needs, its kernels, and how their outputs are read. */
export interface TapKernels<Spec, Value> {
  /** Number of the prompt's last rows whose attention it uses; absent: none. */
  tailRows?(spec: Spec, prompt: TapPrompt): number;
  /** `prefill`: allocated before the first chunk and called for every chunk. */
  readonly during?: "prefill";
  /** Whether it is defined on rows that were cached before the prompt. Absent: it is not. */
  scoresCachedSpan?(spec: Spec): boolean;
  /** Compiles its kernels, and returns what allocates its buffers. */
  prepare(
    gpu: Gpu,
    shape: TapShape,
    spec: Spec,
  ): Promise<(context: TapContext) => RecordedTap<Value>>;
}

/** The kernels of each definition. */
export type KernelsOf<D extends TapDefinitions> = {
  readonly [N in keyof D]: TapKernels<
    Parameters<D[N]["reference"]>[0],
    ReturnType<D[N]["reference"]>
  >;
};

export interface TapContext {
  readonly shape: TapShape;
  readonly geometry: TapGeometry;
  readonly prompt: TapPrompt;
  /** Rows at the end of the tail that are this tap's: what `tailRows` asked for, at most the tail. */
  readonly ownRows: number;
  readonly scratch: Scratch;
}

/** One tap while it is recorded. It has one of `chunk`, `block` and `layer`. */
export interface RecordedTap<Value> {
  /** After a layer's attention to a chunk of the prompt. */
  chunk?(recorder: Recorder, chunk: Chunk): void;
  /** Once all chunks were seen. */
  end?(recorder: Recorder): void;
  /** For each block of this tap's rows, the last block first. */
  block?(recorder: Recorder, block: QueryBlock, source: BlockSource): void;
  /** For each layer, once all keys and values are there. */
  layer?(recorder: Recorder, layer: KeyLayer): void;
  /** Buffers to read back, and their interpretation. */
  readonly outputs: readonly GPUBuffer[];
  /** @throws TapError for a number that is not finite */
  take(bytes: readonly ArrayBuffer[]): Value;
}

/** One layer of the cache and the location of the span in it. */
export interface KeyLayer {
  /** [layers, kvHeads] (row of the first key, keys, lead, 0): query row r sees keys <= lead + r */
  readonly spans: GPUBuffer;
  readonly k: GPUBuffer;
  readonly v: GPUBuffer;
  readonly layer: number;
}

/** A chunk of the prompt in one layer. */
interface Chunk extends KeyLayer {
  readonly queries: Queries;
  readonly firstRow: number;
  readonly rows: number;
}

/** A block of query rows whose probabilities are in scratch memory. */
export interface QueryBlock {
  readonly layer: number;
  /** First row within the tail, and within the prompt. */
  readonly tailRow: number;
  readonly row: number;
  readonly rows: number;
}

interface BlockSource {
  /** [block rows, heads, padded keys] */
  readonly probabilities: GPUBuffer;
  /** [block rows, heads] ones. */
  readonly ones: GPUBuffer;
  readonly spans: GPUBuffer;
  /** Whether the block's last row is the prompt's last row. */
  readonly isLast: boolean;
}
