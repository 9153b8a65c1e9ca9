import type { EngineEvent } from "@/protocol/event";
import type { CacheSettings, CompareRequest } from "@/protocol/request";
import type { LaneOutcome } from "@/protocol/result";
import { Progress } from "../report/progress";
import { SavedLogits } from "../report/savedLogits";
import { sharedTaps } from "../report/tapRecording";
import { prefillSpan } from "../request/prefillSpan";
import { type CheckedSettings, checkLanes } from "../request/request";
import { prepareTurn } from "../request/turn";
import { encodeImages } from "../stages/encode";
import type { Job, StageContext, StageIo } from "../stages/job";
import { prefillSegment } from "../stages/prefill";
import type { CacheState } from "./conversationCache";
import { cacheStateOf, decodeLane, type Lane, type LaneInput, openLane } from "./lane";
import { planLanes } from "./lanePlan";
import { decodeTogether, groupLanes } from "./lanesTogether";
import { isCompressing, ReferenceLane } from "./reference";

/** The answers, and the first lane's state if it has one: the conversation continues from it. */
interface Compared extends CacheState {
  readonly outcomes: readonly LaneOutcome[];
}

/**
 * Answers one question under several policies. The prompt is prefilled once with the taps of all
 * policies, and every lane is planned, which determines the peak memory. Each lane then gathers its
 * kept rows into its own cache, the full cache is freed, and the lanes are decoded from the same logits: one after the
 * other, or together (`groupLanes`).
 * @param release frees the conversation's cache, called after the question is validated
 */
export async function compareLanes(
  context: StageContext,
  request: CompareRequest,
  signal: AbortSignal,
  release: () => void,
): Promise<Compared> {
  const { model, images } = context;
  const { lanes: settings, together, ...question } = request;
  const checked = checkLanes(settings);
  const progress = new Progress(request.explain);
  const turn = await progress.time("vision", () => {
    const first = { ...question, settings: settings[0] as CacheSettings };
    return prepareTurn(first, model, images, signal);
  });
  progress.prepared(turn.layouts, turn.notices);
  const job = { ...context, turn, progress, signal };
  const segment = { start: 0, end: turn.prompt.ids.length };
  const needs = checked.flatMap(({ policy }) => policy.beforePrefill ?? []);
  const encoded = await encodeImages(job, segment, needs);
  release();
  model.gpu.memory.resetPeak();
  return answerAll(job, checked, { segment, encoded }, together);
}

/** Prefills once and answers in every lane. */
async function answerAll(
  job: Job,
  checked: readonly CheckedSettings[],
  input: LaneInput,
  together: boolean | undefined,
): Promise<Compared> {
  const { segment, encoded } = input;
  const { requests, places } = sharedTaps(checked, prefillSpan(job.turn.prompt, segment));
  const cache = job.model.decoder.createCache();
  const logits = new SavedLogits(job.model);
  const isNew = job.turn.request.reference && checked.every(isCompressing);
  const reference = isNew ? new ReferenceLane(job) : undefined;
  const outcomes: LaneOutcome[] = [];
  const opened: Lane[] = [];
  try {
    const prefilled = await prefillSegment(job, { cache, segment, encoded, requests });
    logits.save();
    const lanes = checked.map((settings, index) => ({
      job: laneJob(job, settings, index),
      prefilled: { ...prefilled, taps: prefilled.recorded[places[index] as number] ?? {} },
    }));
    const planned = await planLanes(lanes, input, outcomes, together);
    for (const plannedLane of planned) {
      const lane = await openLane(plannedLane);
      if ("failure" in lane) outcomes[plannedLane.index] = lane;
      else opened.push(lane);
    }
    const rows = planned.map((lane) => lane.rows);
    if (!(await reference?.takeOver(job, prefilled, rows))) cache.destroy();
    const groups = groupLanes(job.model, planned, together);
    const next = await decodeLanes(opened, groups, logits, outcomes);
    const judged = (await reference?.addTo(outcomes)) ?? outcomes;
    return { outcomes: judged, ...cacheStateOf(next) };
  } catch (error) {
    for (const lane of opened) lane.prefilled.cache.destroy();
    throw error;
  } finally {
    reference?.destroy();
    cache.destroy();
    logits.destroy();
  }
}

/**
 * Decodes the lanes and frees their caches, but for that of lane 0 if it holds the question.
 * @param groups how many of them decode together, in order
 * @param outcomes by lane; takes those of all of them
 * @returns lane 0 with its cache; undefined if it failed, or was stopped before its own prefill
 */
async function decodeLanes(
  opened: readonly Lane[],
  groups: readonly number[],
  logits: SavedLogits,
  outcomes: LaneOutcome[],
): Promise<Lane | undefined> {
  let next: Lane | undefined;
  let done = 0;
  for (const size of groups) {
    const lanes = opened.slice(done, done + size);
    done += size;
    logits.restore();
    const found = lanes.length > 1 ? await decodeTogether(lanes, logits) : lanes.map(decodeLane);
    for (const [at, lane] of lanes.entries()) {
      const outcome = (await found[at]) as LaneOutcome;
      const { cache } = lane.prefilled;
      outcomes[lane.index] = outcome;
      if (lane.index === 0 && outcome.result && cache.seen > 0) next = lane;
      else cache.destroy();
    }
  }
  return next;
}

/**
 * The question under one lane's settings. Clocks are separate from here on, so that no lane's time
 * includes another lane's planning.
 */
function laneJob(shared: Job, settings: CheckedSettings, lane: number): Job {
  const emit: StageIo["emit"] = (event) => shared.io.emit({ ...event, lane } as EngineEvent);
  const turn = { ...shared.turn, ...settings };
  return { ...shared, turn, progress: shared.progress.fork(), io: { ...shared.io, emit } };
}
