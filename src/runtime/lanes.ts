import type { DecodeRule } from "@/compression/types";
import type { KvCache } from "@/model/kvCache";
import {
  type CacheSettings,
  type CompareRequest,
  EngineError,
  type EngineEvent,
  type EngineFailure,
  type LaneOutcome,
} from "@/protocol/engine";
import { type Seen, settingsKey } from "./continuation";
import { domainOf } from "./domain";
import { asEngineError, isAbort } from "./failures";
import type { LoadedModel } from "./loadedModel";
import type { Pictures } from "./pictures";
import { plannedRows, type Recorded } from "./preview";
import { Progress } from "./progress";
import { sharedTaps, type TapRequest } from "./recording";
import { fullKvBytes } from "./report";
import { bad, type CheckedSettings, checkSettings, positionMode } from "./request";
import { SavedLogits } from "./savedLogits";
import { type Job, type Prefilled, recordedOf, type StageIo, Stages } from "./stages";
import { prepareTurn } from "./turn";

const MOST_LANES = 4;

export interface Compared {
  readonly outcomes: readonly LaneOutcome[];
  /** The first lane's, if it has an answer. */
  readonly cache: KvCache | undefined;
  readonly seen: Seen | undefined;
  readonly recorded: Recorded | undefined;
}

/** One lane from its fork on. */
interface Lane {
  readonly index: number;
  readonly job: Job;
  /** With the lane's own cache. */
  readonly prefilled: Prefilled;
  readonly stages: Stages;
  readonly rule: DecodeRule | undefined;
}

/**
 * Several policies under one question: the prompt is prefilled once with the taps of all of them,
 * every lane gathers the rows that it keeps into a cache of its own, the full cache is freed, and
 * the lanes are decoded one after the other from the same logits.
 */
export class Lanes {
  readonly #model: LoadedModel;
  readonly #pictures: Pictures | undefined;
  readonly #io: StageIo;
  readonly #stages: Stages;

  constructor(model: LoadedModel, pictures: Pictures | undefined, io: StageIo) {
    this.#model = model;
    this.#pictures = pictures;
    this.#io = io;
    this.#stages = new Stages(model, pictures, io);
  }

  /** @param release frees what the conversation holds, once the question was found answerable */
  async run(request: CompareRequest, signal: AbortSignal, release: () => void): Promise<Compared> {
    const { lanes: settings, ...question } = request;
    if (settings.length < 2 || settings.length > MOST_LANES) {
      throw bad(`Two to ${MOST_LANES} lanes can be compared, not ${settings.length}.`);
    }
    const checked = settings.map(checkSettings);
    const progress = new Progress();
    const turn = await progress.time("vision", () => {
      const first = { ...question, settings: settings[0] as CacheSettings };
      return prepareTurn(first, this.#model, this.#pictures, signal);
    });
    progress.images = turn.layouts;
    progress.notices.push(...turn.notices);
    const job = { turn, progress, signal };
    const segment = { start: 0, end: turn.prompt.ids.length };
    const features = await this.#stages.encode(job, segment);
    release();
    this.#model.gpu.memory.resetPeak();
    return this.#compare(job, checked, (cache, requests) =>
      this.#stages.prefill(job, cache, segment, features, requests),
    );
  }

  async #compare(
    job: Job,
    checked: readonly CheckedSettings[],
    prefill: (cache: KvCache, requests: readonly TapRequest[]) => Promise<Prefilled>,
  ): Promise<Compared> {
    const { prompt } = job.turn;
    const domain = domainOf(prompt, { start: 0, end: prompt.ids.length });
    const { requests, places } = sharedTaps(checked, domain);
    const cache = this.#model.decoder.createCache();
    const logits = new SavedLogits(this.#model);
    const waiting: Lane[] = [];
    const outcomes: LaneOutcome[] = [];
    try {
      const prefilled = await prefill(cache, requests);
      logits.save();
      for (const [index, lane] of checked.entries()) {
        const taps = prefilled.recorded[places[index] as number] ?? {};
        const opened = await this.#open(index, lane, job, { ...prefilled, taps });
        if ("failure" in opened) outcomes[index] = opened;
        else waiting.push(opened);
      }
      cache.destroy();
      let kept: Lane | undefined;
      for (let lane = waiting[0]; lane; lane = waiting[0]) {
        logits.restore();
        outcomes[lane.index] = await this.#decode(lane);
        if (lane.index === 0) kept = lane;
        else lane.prefilled.cache.destroy();
        waiting.shift();
      }
      return { outcomes, ...heldBy(kept) };
    } finally {
      cache.destroy();
      for (const lane of waiting) lane.prefilled.cache.destroy();
      logits.destroy();
    }
  }

  /** Plans a lane and gathers its rows, if there is room for them. */
  async #open(
    index: number,
    checked: CheckedSettings,
    shared: Job,
    prefilled: Prefilled,
  ): Promise<Lane | { readonly failure: EngineFailure }> {
    const emit = (event: EngineEvent) => this.#io.emit({ ...event, lane: index } as EngineEvent);
    const stages = new Stages(this.#model, this.#pictures, { ...this.#io, emit });
    const turn = { ...shared.turn, ...checked };
    const job = { ...shared, turn, progress: shared.progress.fork() };
    try {
      const { plan, rule } = await stages.decide(job, prefilled);
      const bytes = plannedRows(plan, prefilled.before) * prefilled.cache.rowBytes;
      this.#checkRoom(checked.settings, bytes);
      prefilled.cache.positionMode = positionMode(checked.options);
      const cache = await stages.fork(job, prefilled, plan);
      return { index, job, prefilled: { ...prefilled, cache }, stages, rule };
    } catch (error) {
      if (isAbort(error)) throw error;
      return { failure: asEngineError(error).failure };
    }
  }

  #checkRoom({ capMb }: CacheSettings, bytes: number): void {
    const needed = (this.#model.gpu.memory.bytes.kv + bytes) / 1e6;
    if (capMb === undefined || needed <= capMb) return;
    const message = `This lane does not fit beside the others: ${needed.toFixed(2)} MB of ${capMb} MB.`;
    throw new EngineError({ code: "capTooSmall", message, action: "keepLess" });
  }

  async #decode({ job, prefilled, stages, rule }: Lane): Promise<LaneOutcome> {
    const { progress, turn, signal } = job;
    const { cache } = prefilled;
    progress.resume();
    try {
      signal.throwIfAborted();
      await stages.decode(job, prefilled, rule, turn.request.sampling.maxNewTokens);
    } catch (error) {
      if (!isAbort(error)) return { failure: asEngineError(error).failure };
      progress.finish = "cancelled";
    }
    progress.kvBytes.peak = this.#model.gpu.memory.peak("kv");
    progress.kvBytes.end = cache.bytes;
    progress.kvBytes.full = fullKvBytes(cache);
    return { result: progress.result(turn) };
  }
}

/** A lane as the conversation goes on from it. */
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
