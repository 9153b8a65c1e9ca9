import type { DecodeRule, KeepPlan } from "@/compression/types";
import type { KvCache } from "@/model/kv/cache";
import type { RowCounts } from "@/model/kv/layout";
import type { EngineFailure } from "@/protocol/failure";
import type { LaneOutcome } from "@/protocol/result";
import { asEngineError, isAbort } from "../failures";
import { fullKvBytes } from "../report/report";
import { tokensWithin } from "../request/cacheBytes";
import { kvCeiling } from "../request/ceiling";
import { settingsKey } from "../request/continuation";
import { positionMode } from "../request/request";
import { compactToFork, reportPruned } from "../stages/compact";
import { decodeAnswer } from "../stages/decode";
import type { Decision, Job, Prefilled, Segment } from "../stages/job";
import { prefillSegment } from "../stages/prefill";
import { type CacheState, NO_CACHE_STATE, recordedOf } from "./conversationCache";
import type { EncodedSegment } from "./images";

/** The question and its images, for lanes that choose before the prefill. */
export interface LaneInput {
  readonly segment: Segment;
  readonly encoded: EncodedSegment;
}

/** A lane with a plan whose rows are not gathered yet. */
export interface PlannedLane extends Decision {
  readonly index: number;
  readonly job: Job;
  /** With the cache shared by all lanes and the lane's own taps. */
  readonly prefilled: Prefilled;
  /** Rows per layer and head of its fork. */
  readonly rows: RowCounts;
  /** Of a lane that chose before the prefill: it has a prefill of its own. */
  readonly input?: LaneInput;
}

/** One lane from its fork on. */
export interface Lane extends Pick<PlannedLane, "index" | "job"> {
  /** With the lane's own cache. */
  readonly prefilled: Prefilled;
  readonly rule: DecodeRule | undefined;
  /** The prefill that it still needs. */
  readonly fill?: { readonly plan: KeepPlan; readonly input: LaneInput };
}

/** Gathers a planned lane's rows. A lane that chose before the prefill has none yet. */
export async function openLane(
  lane: PlannedLane,
): Promise<Lane | { readonly failure: EngineFailure }> {
  const { index, job, prefilled, plan, rule, input } = lane;
  if (input) {
    const cache = job.model.decoder.createCache();
    return { index, job, prefilled: { ...prefilled, cache }, rule, fill: { plan, input } };
  }
  try {
    prefilled.cache.positionMode = positionMode(job.turn.options);
    const cache = await compactToFork(job, prefilled, plan);
    return { index, job, prefilled: { ...prefilled, cache }, rule };
  } catch (error) {
    if (isAbort(error)) throw error;
    return { failure: asEngineError(error).failure };
  }
}

/** Answers in a lane. A stop ends it with what it has; another failure is its outcome. */
export async function decodeLane(lane: Lane): Promise<LaneOutcome> {
  const { job, rule } = lane;
  const { progress, turn, signal } = job;
  const { cache } = lane.prefilled;
  progress.resume();
  try {
    signal.throwIfAborted();
    const prefilled = await fill(lane);
    const { maxNewTokens } = turn.request.sampling;
    const makeRoom = (wanted: number) => tokensBeside(job, cache, wanted);
    await decodeAnswer(job, { prefilled, rule, maxNewTokens, makeRoom });
  } catch (error) {
    if (!isAbort(error)) return { failure: asEngineError(error).failure };
    progress.finish("cancelled");
  }
  return closeLane(lane);
}

/** The result of a lane that has decoded. */
export function closeLane({ job, prefilled: { cache } }: Lane): LaneOutcome {
  const { model, progress, turn } = job;
  const peak = model.gpu.memory.peak("kv");
  progress.close({ peak, end: cache.bytes, full: fullKvBytes(cache) });
  return { result: progress.result(turn) };
}

/** Prefills the rows that a lane chose before the prefill. */
async function fill({ job, prefilled, fill }: Lane): Promise<Prefilled> {
  if (!fill) return prefilled;
  const { plan, input } = fill;
  job.progress.prefillsAgain();
  const filled = await prefillSegment(job, { ...input, cache: prefilled.cache, plan });
  reportPruned(job, filled, plan);
  return filled;
}

/** New tokens, at most `wanted`, for which a lane's cache fits beside the others. */
function tokensBeside({ model, turn }: Job, cache: KvCache, wanted: number): number {
  const { memory } = model.gpu;
  const room = kvCeiling(turn.settings, memory).bytes - (memory.bytes.kv - cache.bytes);
  return tokensWithin(cache.rowCounts(), wanted, cache.rowBytes, room);
}

/** The lane's state from which the conversation continues. */
export function cacheStateOf(lane: Lane | undefined): CacheState {
  if (!lane) return NO_CACHE_STATE;
  const { turn, progress } = lane.job;
  const { cache } = lane.prefilled;
  const ids = [...turn.seen.ids, ...progress.ids].slice(0, cache.seen);
  return {
    cache,
    seen: { ...turn.seen, ids, settings: settingsKey(turn.settings) },
    recorded: recordedOf(lane.job, lane.prefilled),
    starts: [],
  };
}
