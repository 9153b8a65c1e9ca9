import type { Engine } from "@/protocol/engine";
import type { EngineEvent, MemoryReading } from "@/protocol/event";
import { EngineError, type EngineFailure, toFailure } from "@/protocol/failure";
import type { ModelInfo } from "@/protocol/model";
import type { AskRequest, CacheSettings } from "@/protocol/request";
import type {
  ImageLayout,
  LaneOutcome,
  PlanPreview,
  Reference,
  TurnResult,
} from "@/protocol/result";
import { cutTo, decoded, type RecordedExplanation } from "./recordedExplanation";

const OTHER_MODEL: EngineFailure = {
  code: "badRequest",
  message: "A recording knows no other model.",
};

const NOT_RECORDED: EngineFailure = {
  code: "badRequest",
  message: "A recording cannot tell that.",
};

/** An event and its time in milliseconds after the call. */
export interface TimedEvent {
  readonly at: number;
  readonly event: EngineEvent;
}

export interface RecordedAnswer {
  readonly question: string;
  readonly policy: string;
  readonly retention: number;
  readonly events: readonly TimedEvent[];
  readonly result?: RecordedResult;
  readonly failure?: EngineFailure;
}

/** A result in JSON. */
export interface RecordedResult extends Omit<TurnResult, "explanation"> {
  readonly explanation?: RecordedExplanation;
}

/** A recording of an engine, sufficient to show every screen without a GPU. */
export interface Recording {
  readonly load: {
    readonly events: readonly TimedEvent[];
    readonly info?: ModelInfo;
    readonly failure?: EngineFailure;
  };
  readonly answers: readonly RecordedAnswer[];
}

const NOTHING: MemoryReading = { weights: 0, kv: 0, reference: 0, activations: 0, vision: 0 };

/**
 * An `Engine` that plays a recording, for building and testing the page without a GPU. It computes
 * nothing; a question that is not in the recording gets the most similar answer.
 * @param pace 1 plays at the recorded speed, 0 without waiting
 */
export function createScriptedEngine(recording: Recording, pace = 1): Engine {
  const listeners = new Set<(event: EngineEvent) => void>();
  let stop: (() => void) | undefined;
  let isCancelled = false;
  let memory = NOTHING;

  const emit = (event: EngineEvent) => {
    if (event.type === "memory") memory = event.pools;
    for (const listener of listeners) listener(event);
  };

  /** Plays events in sequence; returns whether it was stopped before the last. */
  async function play(events: readonly TimedEvent[]): Promise<boolean> {
    let isStopped = false;
    const stopped = new Promise<void>((resolve) => {
      stop = () => {
        isStopped = true;
        resolve();
      };
    });
    let clock = 0;
    for (const { at, event } of events) {
      if (isStopped) break;
      await Promise.race([wait((at - clock) * pace), stopped]);
      clock = at;
      if (!isStopped) emit(event);
    }
    stop = undefined;
    return isStopped;
  }

  /** @param shape converts the recorded events to those to play */
  async function answerTo(
    request: AskRequest,
    shape: (events: readonly TimedEvent[]) => readonly TimedEvent[],
  ): Promise<TurnResult> {
    const recorded = bestAnswer(recording.answers, request);
    if (!recorded) throw new RangeError("The recording has no answers");
    const answer = withImages(recorded, Object.keys(request.images));
    const played: TimedEvent[] = [];
    const unsubscribe = subscribe((event) => played.push({ at: 0, event }));
    const isStopped = await play(shape(answer.events));
    unsubscribe();
    if (answer.failure && !isStopped) throw new EngineError(answer.failure);
    const told = await explained(answer.result!, request, isStopped ? played : undefined);
    const reference = isStopped ? undefined : await referenceFor(request);
    if (!reference) return told;
    emit({ type: "answered", result: told });
    return { ...told, reference };
  }

  /** The recorded answer of the full cache to the same question. */
  async function referenceFor(request: AskRequest): Promise<Reference | undefined> {
    if (!request.reference || request.settings.retention === 1) return undefined;
    const settings = { ...request.settings, policy: "full", retention: 1 };
    const full = bestAnswer(recording.answers, { ...request, settings });
    const isSame = full?.retention === 1 && full.question === request.turns.at(-1)?.question;
    if (!isSame || !full.result) return undefined;
    const result = await explained(withImages(full, Object.keys(request.images)).result!, request);
    return { result, source: "fork", peakBytes: result.kvBytes.peak };
  }

  return {
    async load() {
      await play(recording.load.events);
      if (recording.load.failure) throw new EngineError(recording.load.failure);
      if (!recording.load.info) throw new RangeError("The recording has no model");
      return recording.load.info;
    },
    ask: (request) => answerTo(request, (events) => events),
    // No reference: a recording's lanes include the full cache.
    async compare({ lanes, reference: _, ...request }) {
      const outcomes: LaneOutcome[] = [];
      isCancelled = false;
      for (const [lane, settings] of lanes.entries()) {
        const answered = answerTo({ ...request, settings }, (events) => inLane(events, lane));
        outcomes.push(
          await answered.then(
            (result) => ({ result }),
            (error) => ({ failure: toFailure(error) }),
          ),
        );
        if (isCancelled) break;
      }
      // The first lane's cache is kept.
      const kept = bestAnswer(recording.answers, { ...request, settings: lanes[0]! });
      const held = kept?.events.findLast(({ event }) => event.type === "memory");
      if (held && !isCancelled) emit(held.event);
      const failure = { code: "cancelled", message: "Stopped before the first token." } as const;
      return lanes.map((_, lane) => outcomes[lane] ?? { failure });
    },
    async cancel() {
      isCancelled = true;
      stop?.();
    },
    saveCache: async () => undefined,
    restoreCache: async () => false,
    inspect: () => Promise.reject(new EngineError(OTHER_MODEL)),
    priceImages: () => Promise.reject(new EngineError(NOT_RECORDED)),
    measure: () => Promise.reject(new EngineError(NOT_RECORDED)),
    async preview(settings) {
      return previewOf(recording.answers, settings);
    },
    async clear() {
      memory = { ...memory, kv: 0, vision: 0 };
    },
    async memory() {
      return memory;
    },
    subscribe,
  };

  function subscribe(listener: (event: EngineEvent) => void) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }
}

/** The events of one lane; only the first lane includes the shared events. */
function inLane(events: readonly TimedEvent[], lane: number): readonly TimedEvent[] {
  const isShared = ({ event }: TimedEvent) =>
    event.type === "stage" && (event.stage === "vision" || event.stage === "prefill");
  const forked = events.findLast(isShared)?.at ?? 0;
  if (lane === 0) return events.map((each) => (isShared(each) ? each : tagged(each, lane)));
  return events
    .filter((each) => each.at >= forked && !isShared(each))
    .map(({ at, event }) => tagged({ at: at - forked, event }, lane));
}

function tagged({ at, event }: TimedEvent, lane: number): TimedEvent {
  const isOfLane = event.type === "stage" || event.type === "token" || event.type === "compacted";
  return { at, event: isOfLane ? { ...event, lane } : event };
}

/** @param played the events of a stopped run */
async function explained(
  { explanation, ...result }: RecordedResult,
  { explain }: AskRequest,
  played?: readonly TimedEvent[],
): Promise<TurnResult> {
  const told = played ? stoppedResult(result, played) : result;
  if (!explain || !explanation) return told;
  return { ...told, explanation: cutTo(await decoded(explanation), told.tokenIds.length) };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Prefers the same question, then the same policy, then the nearest retention. */
function bestAnswer(
  answers: readonly RecordedAnswer[],
  { turns, settings }: AskRequest,
): RecordedAnswer | undefined {
  const question = turns.at(-1)?.question;
  const distance = (answer: RecordedAnswer) =>
    (answer.question === question ? 0 : 100) +
    (answer.policy === settings.policy ? 0 : 10) +
    Math.abs(answer.retention - settings.retention);
  return [...answers].sort((a, b) => distance(a) - distance(b))[0];
}

/** The recording's images with the keys of the page's images. */
function withImages(answer: RecordedAnswer, keys: readonly string[]): RecordedAnswer {
  const rename = (images: readonly ImageLayout[]) =>
    images.map((layout, index) => ({ ...layout, image: keys[index] ?? layout.image }));
  return {
    ...answer,
    events: answer.events.map(({ at, event }) =>
      event.type === "compacted"
        ? { at, event: { ...event, images: rename(event.images) } }
        : { at, event },
    ),
    ...(answer.result
      ? { result: { ...answer.result, images: rename(answer.result.images) } }
      : {}),
  };
}

/** The result of a stopped run: the tokens so far. */
function stoppedResult(result: TurnResult, played: readonly TimedEvent[]): TurnResult {
  const tokens = played.flatMap(({ event }) => (event.type === "token" ? [event] : []));
  if (tokens.length === 0) {
    throw new EngineError({ code: "cancelled", message: "Stopped before the first token." });
  }
  return {
    ...result,
    answer: tokens.map(({ text }) => text).join(""),
    tokenIds: tokens.map(({ id }) => id),
    finish: "cancelled",
  };
}

/** The policy's recorded plan with the nearest retention. */
function previewOf(answers: readonly RecordedAnswer[], settings: CacheSettings): PlanPreview {
  const distance = ({ retention }: RecordedAnswer) => Math.abs(retention - settings.retention);
  const [nearest] = answers
    .filter(({ policy, result }) => policy === settings.policy && result)
    .sort((a, b) => distance(a) - distance(b));
  if (!nearest?.result) {
    throw new EngineError({ code: "badRequest", message: "The recording has no such plan." });
  }
  const { layers, kvBytes } = nearest.result;
  return {
    layers: layers.map(({ rowsAfter, kept }) => ({ rows: rowsAfter, kept })),
    kvBytes: kvBytes.after,
  };
}
