import type { Decoder } from "@/model/decoder/decoder";
import { timeBatch } from "./batchCases";
import type { PassTimes } from "./passTimes";
import { filledCache, greedySteps, stepBytes } from "./stepCases";

/** Decoding steps of one or several sequences, each with a cache of so many rows. */
export interface LatencyRun {
  readonly rows: number;
  /** Bytes of weights and caches that a step must read. */
  readonly bytes: number;
  /** Milliseconds of every step. */
  readonly wallMs: number[];
  /** GPU milliseconds of steps; empty without timestamps. */
  readonly gpuMs: number[];
}

interface LatencyArgs {
  readonly rows: number;
  /** Share of the rows that the second run keeps. */
  readonly share: number;
  /** Sequences that decode together. */
  readonly batch: number;
  readonly steps: number;
  readonly repeats: number;
}

const WARM_UP = 3;

/** Decoding with full caches and with a share of their rows, in turns. */
export async function timeLatency(
  decoder: Decoder,
  args: LatencyArgs,
  times: PassTimes | undefined,
): Promise<readonly [full: LatencyRun, kept: LatencyRun]> {
  const { rows, share, batch, steps, repeats } = args;
  const runOf = (count: number): LatencyRun => {
    return { rows: count, bytes: stepBytes(decoder, count * batch), wallMs: [], gpuMs: [] };
  };
  const runs = [runOf(rows), runOf(Math.round(rows * share))] as const;
  for (let i = 0; i < repeats; i++) {
    for (const { rows: count, wallMs, gpuMs } of runs) {
      const measured = await (batch > 1
        ? timeBatch(decoder, { rows: count, count: batch, steps }, times)
        : timeOne(decoder, count, steps, times));
      wallMs.push(...measured.wallMs);
      if (measured.gpuMs !== undefined) gpuMs.push(measured.gpuMs);
    }
  }
  return runs;
}

async function timeOne(
  decoder: Decoder,
  rows: number,
  steps: number,
  times: PassTimes | undefined,
) {
  const cache = await filledCache(decoder, rows);
  await greedySteps(decoder, cache, WARM_UP);
  const wallMs = await greedySteps(decoder, cache, steps);
  const passes = await times?.run("pass", () => greedySteps(decoder, cache, steps));
  cache.destroy();
  return { wallMs, gpuMs: passes?.reduce((sum, { us }) => sum + us / 1000 / steps, 0) };
}
