import type { Gpu } from "@/gpu/gpu";
import type { Queries } from "@/gpu/kernels/attention/queries";
import type { Recorder } from "@/gpu/recorder";
import type { Scratch } from "../scratch";
import { blockSpans, type TapGeometry } from "./geometry";
import { compileCopyRows, compileProbabilities } from "./shared/kernels";
import type { QueryBlock, RecordedTap, TapShape } from "./tap";

/** Dispatches of a tap for a block. */
const MOST_PER_BLOCK = 8;

interface TailLayer {
  readonly layer: number;
  readonly spans: GPUBuffer;
  readonly k: GPUBuffer;
  readonly tail: Queries;
  /** Row of `tail` that is the tail's first. */
  readonly firstRow: number;
}

export interface TailTap {
  /** Rows at the tail's end that the tap owns. */
  readonly ownRows: number;
  readonly tap: RecordedTap<unknown>;
}

export type TailPass = Awaited<ReturnType<typeof compileTail>>;

/** A tail pass whose scratch is allocated. */
export interface StartedTail {
  /** Most dispatches of a layer. */
  readonly dispatches: number;
  runLayer(recorder: Recorder, layer: TailLayer): void;
}

/**
 * The pass over the last rows of a prompt. When all keys are cached, the rows'
 * probabilities are computed and reduced one block at a time, so scratch memory is bounded for any prompt.
 */
export async function compileTail(gpu: Gpu, shape: TapShape) {
  const [copyRows, makeProbabilities] = await Promise.all([
    compileCopyRows(gpu, shape),
    compileProbabilities(gpu, shape),
  ]);
  return {
    copyRows,

    /** Allocates the block's scratch. */
    start(scratch: Scratch, geometry: TapGeometry, taps: readonly TailTap[]): StartedTail {
      const { rows, heads, tailRows, blockRows } = geometry;
      const owners = taps.filter(({ ownRows }) => ownRows > 0);
      if (owners.length === 0) return { dispatches: 0, runLayer: () => undefined };
      const entries = blockRows * heads;
      const probabilities = scratch.numbers("probabilities", entries * geometry.paddedKeys);
      const ones = scratch.upload("ones", new Float32Array(entries).fill(1));
      const blocks = blockSpans(
        geometry,
        owners.map(({ ownRows }) => ownRows),
      );
      const runLayer: StartedTail["runLayer"] = (recorder, { layer, spans, k, tail, firstRow }) => {
        for (const { start, end } of blocks) {
          const row = rows - tailRows + start;
          const block: QueryBlock = { layer, tailRow: start, row, rows: end - start };
          makeProbabilities(recorder, { spans, k, tail, firstRow, probabilities, block });
          const source = { probabilities, ones, spans, isLast: end === tailRows };
          for (const { ownRows, tap } of owners) {
            if (start >= tailRows - ownRows) tap.block?.(recorder, block, source);
          }
        }
      };
      return { dispatches: blocks.length * (1 + owners.length * MOST_PER_BLOCK), runLayer };
    },
  };
}
