import type { EngineEvent } from "@/protocol/engine";

/** What was measured while an answer was given: its charts, after the page that drew them is gone. */
export interface Timings {
  /** Milliseconds of each token; the first one's hold the prompt's work. */
  readonly tokenMs: readonly number[];
  /** The cache as it grew and shrank; empty for a lane, which shares its pool with the others. */
  readonly kv: readonly KvSample[];
}

export interface KvSample {
  /** Milliseconds since the run's first sample. */
  readonly at: number;
  /** Bytes of live KV buffers. */
  readonly bytes: number;
  /** What the full cache would take at this point. */
  readonly fullBytes: number;
  readonly mark?: "prefill" | "compact" | "end";
}

export interface TimingsRecorder {
  /** @returns the sample that a memory event adds */
  record(event: EngineEvent): KvSample | undefined;
  /** @param lane undefined for a question that was asked alone */
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
        // While the prompt is still being read, what is held is all there is.
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
