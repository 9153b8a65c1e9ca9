import { createStore } from "zustand/vanilla";
import type { EngineEvent, MemoryReading } from "@/protocol/event";
import type { TurnResult } from "@/protocol/result";
import { createSeries, type Series } from "@/text/series";
import { median } from "@/text/stats";
import { createTimingsRecorder, type KvSample, type Timings } from "../conversation/timings";
import type { ReadonlyStore } from "../readonlyStore";

/** A mark on the memory chart, at a time on its clock of working seconds. */
interface MemoryMark {
  readonly at: number;
  readonly kind: "prefill" | "compact" | "end";
}

/** Charts of the running answer, or of the conversation's answered turns. */
type ChartsView = "live" | "turns";

export interface Reading {
  readonly pools: MemoryReading;
  readonly fullKv: number;
}

/** The measurements that React renders. Samples bypass React. */
export interface ChartsState {
  readonly view: ChartsView;
  readonly reading: Reading | undefined;
  readonly marks: readonly MemoryMark[];
  /** Bytes that a token reads at most: weights and the full cache. */
  readonly reads: { readonly weights: number; readonly fullKv: number } | undefined;
  /** Median milliseconds per token of the last run with the full cache. */
  readonly fullMedianMs: number | undefined;
  /** Times of the stages of the newest finished answer. */
  readonly stages: TurnResult["ms"] | undefined;
  readonly decodeMs: number;
}

export interface Charts {
  readonly store: ReadonlyStore<ChartsState>;
  /** [seconds of work, KV bytes, bytes of the full cache] */
  readonly memory: Series;
  /** [token, milliseconds] of the current run, from the second token on. */
  readonly tokens: Series;
  /** [token, milliseconds] of the last finished run with the full cache. */
  readonly reference: Series;
  /** Calls back after samples were added or removed; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
  show(view: ChartsView): void;
  startRun(): void;
  record(event: EngineEvent): void;
  /**
   * What was recorded since the run started.
   * @param lane undefined if the question was not compared
   */
  timings(lane: number | undefined): Timings;
  /** @param full milliseconds of each token of a lane with the full cache, if there was one */
  finishRun(result: TurnResult, full?: readonly number[]): void;
  /**
   * Clears the conversation's data; the full-cache reference is kept, because it belongs to the
   * machine.
   */
  reset(): void;
}

const EMPTY: Omit<ChartsState, "fullMedianMs" | "view"> = {
  reading: undefined,
  marks: [],
  reads: undefined,
  stages: undefined,
  decodeMs: 0,
};
const INITIAL: ChartsState = { ...EMPTY, view: "live", fullMedianMs: undefined };
const MEMORY_SAMPLES = 4096;
const TOKEN_SAMPLES = 2048;
/** Gap between two runs on the working clock, in seconds. */
const GAP_S = 0.05;

/** Turns engine events into series. */
export function createCharts(clock: () => number = () => performance.now()): Charts {
  const store = createStore(() => INITIAL);
  const listeners = new Set<() => void>();
  const memory = createMemoryTimeline(clock);
  const tokens = createSeries(2, TOKEN_SAMPLES);
  const reference = createSeries(2, TOKEN_SAMPLES);
  /** Lane whose tokens are in `tokens`. */
  let lane: number | undefined;
  let recorder = createTimingsRecorder();

  function changed() {
    for (const listener of listeners) listener();
  }

  function addSample(sample: KvSample, pools: MemoryReading) {
    const { bytes, fullBytes: fullKv, mark } = sample;
    const at = memory.add(sample);
    const { marks, reading: before } = store.getState();
    // The full cache also passes this phase but frees nothing, so it gets no mark.
    const isIdle = mark === "compact" && bytes >= (before?.pools.kv ?? 0);
    store.setState({
      reading: { pools, fullKv },
      ...(fullKv > 0 ? { reads: { weights: pools.weights, fullKv } } : {}),
      marks: mark && !isIdle ? [...marks, { at, kind: mark }] : marks,
    });
  }

  return {
    store,
    memory: memory.series,
    tokens,
    reference,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    show: (view) => store.setState({ view }),
    startRun() {
      tokens.clear();
      lane = undefined;
      const { reading } = store.getState();
      memory.begin(reading?.pools.kv ?? 0, reading?.fullKv ?? 0);
      recorder = createTimingsRecorder();
      changed();
    },
    record(event) {
      if (event.type !== "token" && event.type !== "memory") return;
      const sample = recorder.record(event);
      if (event.type === "token" && event.lane !== lane) {
        // Each lane counts its tokens from one; the chart shows the running lane.
        tokens.clear();
        lane = event.lane;
      }
      // The first token includes the prefill and is reported separately.
      if (event.type === "token" && event.index > 0) tokens.push([event.index + 1, event.ms]);
      if (event.type === "memory" && sample) addSample(sample, event.pools);
      changed();
    },
    timings: (lane) => recorder.timings(lane),
    finishRun(result, full = []) {
      // All tokens: the series keeps the newest alone.
      const times = recorder.timings(lane).tokenMs.slice(1);
      store.setState({ stages: result.ms, decodeMs: times.reduce((sum, ms) => sum + ms, 0) });
      const gaps = full.slice(1);
      if (gaps.length === 0) return;
      reference.clear();
      for (const [index, ms] of gaps.entries()) reference.push([index + 2, ms]);
      store.setState({ fullMedianMs: median(gaps) });
      changed();
    },
    reset() {
      memory.clear();
      tokens.clear();
      recorder = createTimingsRecorder();
      store.setState(EMPTY);
      changed();
    },
  };
}

/**
 * KV bytes over seconds of work. Its clock stands still between questions, because pauses would
 * compress the rest of the chart.
 */
function createMemoryTimeline(clock: () => number) {
  const series = createSeries(3, MEMORY_SAMPLES);
  let now = 0;
  let startedAt = 0;
  /** Time of the run's first sample. */
  let firstAt: number | undefined;
  return {
    series,
    /** Starts a run from the bytes that the run before it left. */
    begin(bytes: number, fullBytes: number) {
      if (series.length > 0) now += GAP_S;
      series.push([now, bytes, fullBytes]);
      startedAt = clock();
      firstAt = undefined;
    },
    /** @returns the sample's time in seconds of work */
    add({ at, bytes, fullBytes }: KvSample): number {
      firstAt ??= now + (clock() - startedAt) / 1e3;
      now = Math.max(now, firstAt + at / 1e3);
      series.push([now, bytes, fullBytes]);
      return now;
    },
    clear() {
      series.clear();
      now = 0;
      firstAt = undefined;
    },
  };
}
