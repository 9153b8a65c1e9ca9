import type { EngineEvent } from "@/protocol/event";

/** Measurements of an answer, stored so that its charts can be drawn later. */
export interface Timings {
  /** Milliseconds of each token; the first includes the prefill. */
  readonly tokenMs: readonly number[];
  /** KV bytes over time; empty for a lane, which shares its pool with the others. */
  readonly kv: readonly KvSample[];
}

export interface KvSample {
  /** Milliseconds since the run's first sample. */
  readonly at: number;
  /** Bytes of live KV buffers. */
  readonly bytes: number;
  /** Bytes of a full cache at this point. */
  readonly fullBytes: number;
  readonly mark?: "prefill" | "compact" | "end";
}

interface TimingsRecorder {
  /** @returns the sample that a memory event adds */
  record(event: EngineEvent): KvSample | undefined;
  /** @param lane undefined if the question was not compared */
  timings(lane: number | undefined): Timings;
}

/** Collects the events of one run of the engine. */
export function createTimingsRecorder(): TimingsRecorder {
  const tokenMs = new Map<number | undefined, number[]>();
  const kv: KvSample[] = [];
  let start: number | undefined;
  return {
    record(event) {
      if (event.type === "token") {
        const times = tokenMs.get(event.lane) ?? [];
        times.push(event.ms);
        tokenMs.set(event.lane, times);
      }
      if (event.type !== "memory") return undefined;
      start ??= event.at;
      const { pools, mark } = event;
      const sample: KvSample = {
        at: event.at - start,
        bytes: pools.kv,
        // During the prefill, the held bytes are those of the full cache.
        fullBytes: Math.max(event.fullKv, pools.kv),
        ...(mark ? { mark } : {}),
      };
      kv.push(sample);
      return sample;
    },
    timings: (lane) => ({
      tokenMs: [...(tokenMs.get(lane) ?? [])],
      kv: lane === undefined ? [...kv] : [],
    }),
  };
}
