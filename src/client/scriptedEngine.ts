import type { Engine } from "@/protocol/engine";
import { type EngineEvent, NO_MEMORY } from "@/protocol/event";
import { EngineError, type EngineFailure, toFailure } from "@/protocol/failure";
import type { AskRequest } from "@/protocol/request";
import type { LaneOutcome, Reference, TurnResult } from "@/protocol/result";
import {
  bestAnswer,
  eventsOfLane,
  type Recording,
  recordedPreview,
  resultFor,
  type TimedEvent,
  withImageKeys,
} from "./recording";

const OTHER_MODEL: EngineFailure = {
  code: "badRequest",
  message: "A recording knows no other model.",
};

const NOT_RECORDED: EngineFailure = {
  code: "badRequest",
  message: "A recording cannot tell that.",
};

/**
 * An `Engine` that plays a recording, for building and testing the page without a GPU. It computes
 * nothing; a question that is not in the recording gets the most similar answer.
 * @param pace 1 plays at the recorded speed, 0 without waiting
 */
export function createScriptedEngine(recording: Recording, pace = 1): Engine {
  const listeners = new Set<(event: EngineEvent) => void>();
  let stop: (() => void) | undefined;
  let isCancelled = false;
  let memory = NO_MEMORY;

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
    const answer = withImageKeys(recorded, Object.keys(request.images));
    const played: TimedEvent[] = [];
    const unsubscribe = subscribe((event) => played.push({ at: 0, event }));
    const isStopped = await play(shape(answer.events));
    unsubscribe();
    if (answer.failure && !isStopped) throw new EngineError(answer.failure);
    const told = await resultFor(answer.result!, request, isStopped ? played : undefined);
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
    const result = await resultFor(
      withImageKeys(full, Object.keys(request.images)).result!,
      request,
    );
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
        const answered = answerTo({ ...request, settings }, (events) => eventsOfLane(events, lane));
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
      return recordedPreview(recording.answers, settings);
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

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
