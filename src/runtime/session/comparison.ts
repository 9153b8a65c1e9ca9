import type { DecodeRule, KeepPlan } from "@/compression/types";
import type { KvCache } from "@/model/kv/cache";
import type { RowCounts } from "@/model/kv/layout";
import {
  type CacheSettings,
  type CompareRequest,
  EngineError,
  type EngineEvent,
  type EngineFailure,
  type LaneOutcome,
} from "@/protocol/engine";
import { asEngineError, isAbort } from "../failures";
import { Progress } from "../report/progress";
import { fullKvBytes } from "../report/report";
import { SavedLogits } from "../report/savedLogits";
import { sharedTaps } from "../report/tapRecording";
import { cacheBytes, comparisonPeakBytes, rowsAfter, tokensWithin } from "../request/cacheBytes";
import { type KvCeiling, kvCeiling } from "../request/ceiling";
import { type Seen, settingsKey } from "../request/continuation";
import { prefillSpan } from "../request/prefillSpan";
import { bad, type CheckedSettings, checkSettings, positionMode } from "../request/request";
import { type PreparedTurn, prepareTurn } from "../request/turn";
import type { ConversationImages } from "./images";
import type { Decision, Job, PhaseIo, Prefilled, Segment } from "./job";
import type { LoadedModel } from "./loadedModel";
import { Phases, recordedOf } from "./phases";
import type { Recorded } from "./preview";
import type { EncodedSegment } from "./pruning";
import { isCompressing, ReferenceLane } from "./reference";

/** The full cache, eight shares, and the next settings' own. */
const MOST_LANES = 10;

export interface Compared {
  readonly outcomes: readonly LaneOutcome[];
  /** The first lane's, if it has an answer. */
  readonly cache: KvCache | undefined;
  readonly seen: Seen | undefined;
  readonly recorded: Recorded | undefined;
}

/** The question's images, for lanes that choose before the prefill. */
interface Sight {
  readonly segment: Segment;
  readonly encoded: EncodedSegment;
}

/** A lane with a plan whose rows are not gathered yet. */
interface PlannedLane extends Decision {
  readonly index: number;
  readonly job: Job;
  /** With the cache shared by all lanes and the lane's own taps. */
  readonly prefilled: Prefilled;
  readonly phases: Phases;
  /** Rows per layer and head of its fork. */
  readonly rows: RowCounts;
  /** Of a lane that chose before the prefill: it has a prefill of its own. */
  readonly sight?: Sight;
}

/** One lane from its fork on. */
interface Lane extends Pick<PlannedLane, "index" | "job" | "phases"> {
  /** With the lane's own cache. */
  readonly prefilled: Prefilled;
  readonly rule: DecodeRule | undefined;
  /** The prefill that it still needs. */
  readonly fill?: { readonly plan: KeepPlan; readonly sight: Sight };
}

/** By lane; lanes that have failed already have their outcome. */
type Outcomes = LaneOutcome[];

/**
 * Answers one question under several policies. The prompt is prefilled once with the taps of all
 * policies, and every lane is planned, which determines the peak memory. Each lane then gathers its
 * kept rows into its own cache, the full cache is freed, and the lanes are decoded one after the
 * other from the same logits.
 */
export class Comparison {
  readonly #model: LoadedModel;
  readonly #images: ConversationImages | undefined;
  readonly #io: PhaseIo;
  readonly #phases: Phases;

  constructor(model: LoadedModel, images: ConversationImages | undefined, io: PhaseIo) {
    this.#model = model;
    this.#images = images;
    this.#io = io;
    this.#phases = new Phases(model, images, io);
  }

  /** @param release frees the conversation's cache, called after the question is validated */
  async run(request: CompareRequest, signal: AbortSignal, release: () => void): Promise<Compared> {
    const { lanes: settings, ...question } = request;
    if (settings.length < 2 || settings.length > MOST_LANES) {
      throw bad(`Two to ${MOST_LANES} lanes can be compared, not ${settings.length}.`);
    }
    if (settings.some(({ earlierRetention }) => earlierRetention !== undefined)) {
      throw bad(
        "A comparison compresses all images alike; it keeps no other share of earlier ones.",
      );
    }
    const checked = settings.map(checkSettings);
    const progress = new Progress(request.explain);
    const turn = await progress.time("vision", () => {
      const first = { ...question, settings: settings[0] as CacheSettings };
      return prepareTurn(first, this.#model, this.#images, signal);
    });
    progress.prepared(turn.layouts, turn.notices);
    const job = { turn, progress, signal };
    const segment = { start: 0, end: turn.prompt.ids.length };
    const needs = checked.flatMap(({ policy }) => policy.beforePrefill ?? []);
    const encoded = await this.#phases.encode(job, segment, needs);
    release();
    this.#model.gpu.memory.resetPeak();
    return this.#compare(job, checked, { segment, encoded });
  }

  async #compare(job: Job, checked: readonly CheckedSettings[], sight: Sight): Promise<Compared> {
    const { prompt } = job.turn;
    const span = prefillSpan(prompt, { start: 0, end: prompt.ids.length });
    const { requests, places } = sharedTaps(checked, span);
    const cache = this.#model.decoder.createCache();
    const logits = new SavedLogits(this.#model);
    const isNew = job.turn.request.reference && checked.every(isCompressing);
    const reference = isNew ? new ReferenceLane(this.#model, this.#images, this.#io) : undefined;
    const waiting: Lane[] = [];
    const outcomes: Outcomes = [];
    try {
      const { segment, encoded } = sight;
      const prefilled = await this.#phases.prefill(job, cache, segment, encoded, { requests });
      logits.save();
      const recorded = places.map((place) => ({
        ...prefilled,
        taps: prefilled.recorded[place] ?? {},
      }));
      const planned = await this.#planAll(job, checked, recorded, sight, outcomes);
      for (const lane of planned) {
        const opened = await this.#open(lane);
        if ("failure" in opened) outcomes[lane.index] = opened;
        else waiting.push(opened);
      }
      const rows = planned.map((lane) => lane.rows);
      if (!reference?.takeOver(job, prefilled, rows)) cache.destroy();
      let kept: Lane | undefined;
      for (let lane = waiting[0]; lane; lane = waiting[0]) {
        logits.restore();
        outcomes[lane.index] = await this.#decode(lane);
        if (lane.index === 0) kept = lane;
        else lane.prefilled.cache.destroy();
        waiting.shift();
      }
      return { outcomes: (await reference?.addTo(outcomes)) ?? outcomes, ...heldBy(kept) };
    } finally {
      reference?.destroy();
      cache.destroy();
      for (const lane of waiting) lane.prefilled.cache.destroy();
      logits.destroy();
    }
  }

  /**
   * Plans every lane, fails lanes that do not fit together with the others, and writes the peak
   * bytes of the rest into their notes, before any of them allocates.
   */
  async #planAll(
    shared: Job,
    checked: readonly CheckedSettings[],
    prefilled: readonly Prefilled[],
    sight: Sight,
    outcomes: Outcomes,
  ): Promise<readonly PlannedLane[]> {
    const { cache } = prefilled[0] as Prefilled;
    const { rowBytes } = cache;
    // Clocks are separate from here on, so that no lane's time includes another lane's planning.
    const jobs = checked.map((lane) => {
      return { ...shared, turn: { ...shared.turn, ...lane }, progress: shared.progress.fork() };
    });
    const planned: PlannedLane[] = [];
    let bytes = this.#model.gpu.memory.bytes.kv;
    for (const [index, job] of jobs.entries()) {
      try {
        const lane = await this.#plan(index, job, prefilled[index] as Prefilled, sight);
        const added = cacheBytes(lane.rows, rowBytes);
        checkLaneFits(kvCeiling(job.turn.settings, this.#model.gpu.memory), bytes + added);
        planned.push(lane);
        bytes += added;
      } catch (error) {
        if (isAbort(error)) throw error;
        outcomes[index] = { failure: asEngineError(error).failure };
      }
    }
    const rows = planned.map((lane) => lane.rows);
    const { maxNewTokens } = shared.turn.request.sampling;
    const plannedPeakBytes = comparisonPeakBytes(cache.bytes, rows, maxNewTokens, rowBytes);
    return planned.map((lane) => {
      const plan = { ...lane.plan, notes: { ...lane.plan.notes, plannedPeakBytes } };
      return { ...lane, plan };
    });
  }

  async #plan(index: number, job: Job, prefilled: Prefilled, sight: Sight): Promise<PlannedLane> {
    const emit = (event: EngineEvent) => this.#io.emit({ ...event, lane: index } as EngineEvent);
    const phases = new Phases(this.#model, this.#images, { ...this.#io, emit });
    const lane = { index, job, phases };
    if (job.turn.policy.beforePrefill) {
      const { vision, ...decision } = await phases.choose(job, sight.segment, sight.encoded);
      const rows = rowsAfter(decision.plan, prefilled.before);
      return { ...lane, ...decision, prefilled: { ...prefilled, vision }, sight, rows };
    }
    const decision = await phases.decide(job, prefilled);
    return { ...lane, ...decision, prefilled, rows: rowsAfter(decision.plan, prefilled.before) };
  }

  /** Gathers a planned lane's rows. A lane that chose before the prefill has none yet. */
  async #open(lane: PlannedLane): Promise<Lane | { readonly failure: EngineFailure }> {
    const { index, job, prefilled, phases, plan, rule, sight } = lane;
    if (sight) {
      const cache = this.#model.decoder.createCache();
      const fill = { plan, sight };
      return { index, job, prefilled: { ...prefilled, cache }, phases, rule, fill };
    }
    try {
      prefilled.cache.positionMode = positionMode(job.turn.options);
      const cache = await phases.fork(job, prefilled, plan);
      return { index, job, prefilled: { ...prefilled, cache }, phases, rule };
    } catch (error) {
      if (isAbort(error)) throw error;
      return { failure: asEngineError(error).failure };
    }
  }

  /** Prefills the rows that a lane chose before the prefill. */
  async #fill({ job, prefilled, phases, fill }: Lane): Promise<Prefilled> {
    if (!fill) return prefilled;
    const { plan, sight } = fill;
    const { segment, encoded } = sight;
    job.progress.prefillsAgain();
    const filled = await phases.prefill(job, prefilled.cache, segment, encoded, { plan });
    phases.pruned(job, filled, plan);
    return filled;
  }

  async #decode(lane: Lane): Promise<LaneOutcome> {
    const { job, phases, rule } = lane;
    const { progress, turn, signal } = job;
    const { cache } = lane.prefilled;
    progress.resume();
    try {
      signal.throwIfAborted();
      const prefilled = await this.#fill(lane);
      const { maxNewTokens } = turn.request.sampling;
      const tokens = this.#tokensWithin(turn, cache);
      await phases.decode(job, prefilled, rule, tokens);
      if (tokens < maxNewTokens) progress.wasLimitedByMemory();
    } catch (error) {
      if (!isAbort(error)) return { failure: asEngineError(error).failure };
      progress.finish("cancelled");
    }
    const peak = this.#model.gpu.memory.peak("kv");
    progress.close({ peak, end: cache.bytes, full: fullKvBytes(cache) });
    return { result: progress.result(turn) };
  }

  /** New tokens for which a lane's cache fits beside the others. */
  #tokensWithin({ settings, request }: PreparedTurn, cache: KvCache): number {
    const { memory } = this.#model.gpu;
    const room = kvCeiling(settings, memory).bytes - (memory.bytes.kv - cache.bytes);
    const { maxNewTokens } = request.sampling;
    return tokensWithin(cache.rowCounts(), maxNewTokens, cache.rowBytes, room);
  }
}

/** @throws EngineError if all lanes up to this one and the full cache do not fit under the ceiling */
function checkLaneFits({ bytes: most, isCap }: KvCeiling, bytes: number): void {
  if (bytes <= most) return;
  const [needed, room] = [bytes, most].map((value) => (value / 1e6).toFixed(2));
  const message = `This lane does not fit together with the others: ${needed} MB of ${room} MB.`;
  const code = isCap ? "capTooSmall" : "outOfMemory";
  const neededMb = Math.ceil(bytes / 1e4) / 100;
  const reason = { kind: "lane", neededMb, roomMb: Math.floor(most / 1e4) / 100 } as const;
  const rest = { message, reason, action: "keepLess" } as const;
  throw new EngineError({ code, ...rest, ...(isCap ? { neededMb } : {}) });
}

/** The lane's state from which the conversation continues. */
function heldBy(lane: Lane | undefined): Omit<Compared, "outcomes"> {
  if (!lane) return { cache: undefined, seen: undefined, recorded: undefined };
  const { turn, progress } = lane.job;
  const ids = [...turn.seen.ids, ...progress.ids];
  return {
    cache: lane.prefilled.cache,
    seen: { ...turn.seen, ids, settings: settingsKey(turn.settings) },
    recorded: recordedOf(lane.job, lane.prefilled),
  };
}
