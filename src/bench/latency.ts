import type { Decoder } from "@/model/decoder/decoder";
import type { KvCache } from "@/model/kv/cache";
import type { PassTimes } from "./passTimes";
import { filledCache, greedySteps, stepBytes } from "./stepCases";

/** Decoding on a cache of so many rows. */
export interface LatencyLane {
  readonly rows: number;
  /** Bytes of weights and cache that a step must read. */
  readonly bytes: number;
  /** Milliseconds of every step. */
  readonly wallMs: readonly number[];
  /** GPU milliseconds of every step; empty without timestamps. */
  readonly gpuMs: readonly number[];
}

export interface LatencyArgs {
  readonly rows: number;
  /** Share of the rows that the second lane keeps. */
  readonly share: number;
  readonly steps: number;
  readonly repeats: number;
}

/** Decoding on a full cache and on one with a share of its rows, in turns. */
export async function timeLatency(
  decoder: Decoder,
  { rows, share, steps, repeats }: LatencyArgs,
  times: PassTimes | undefined,
): Promise<readonly [full: LatencyLane, kept: LatencyLane]> {
  const lanes = await Promise.all(
    [rows, Math.round(rows * share)].map((count) => openLane(decoder, count)),
  );
  for (let run = 0; run <= repeats; run++) {
    for (const lane of lanes) {
      const wallMs = await greedySteps(decoder, lane.cache, steps);
      if (run === 0) continue; // warm-up
      lane.wallMs.push(...wallMs);
      const passes = await times?.run("pass", () => greedySteps(decoder, lane.cache, steps));
      lane.gpuMs.push(...(passes ?? []).map(({ us }) => us / 1000));
    }
  }
  for (const { cache } of lanes) cache.destroy();
  const [full, kept] = lanes.map(({ cache: _, ...lane }) => lane);
  return [full as LatencyLane, kept as LatencyLane];
}

async function openLane(decoder: Decoder, rows: number) {
  const cache: KvCache = await filledCache(decoder, rows);
  const [wallMs, gpuMs]: [number[], number[]] = [[], []];
  return { cache, rows, bytes: stepBytes(decoder, rows), wallMs, gpuMs };
}
