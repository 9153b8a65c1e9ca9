import type { Engine } from "@/protocol/engine";
import { type EngineEvent, NO_MEMORY } from "@/protocol/event";
import { EngineError, type EngineFailure, toFailure } from "@/protocol/failure";
import type { AskRequest, CompareRequest } from "@/protocol/request";
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
  const player = new Player(pace);
  return {
    async load() {
      await player.play(recording.load.events);
      if (recording.load.failure) throw new EngineError(recording.load.failure);
      if (!recording.load.info) throw new RangeError("The recording has no model");
      return recording.load.info;
    },
    ask: (request) => answerTo(player, recording, request, (events) => events),
    compare: (request) => answerLanes(player, recording, request),
    cancel: async () => player.cancel(),
    saveCache: async () => undefined,
    restoreCache: async () => false,
    inspect: () => Promise.reject(new EngineError(OTHER_MODEL)),
    priceImages: () => Promise.reject(new EngineError(NOT_RECORDED)),
    measure: () => Promise.reject(new EngineError(NOT_RECORDED)),
    preview: async (settings) => recordedPreview(recording.answers, settings),
    async clear() {
      player.memory = { ...player.memory, kv: 0, vision: 0 };
    },
    memory: async () => player.memory,
    subscribe: (listener) => player.subscribe(listener),
  };
}

/** Emits recorded events at their times. */
class Player {
  readonly #pace: number;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #stop: (() => void) | undefined;
  memory = NO_MEMORY;
  isCancelled = false;

  constructor(pace: number) {
    this.#pace = pace;
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: EngineEvent): void {
    if (event.type === "memory") this.memory = event.pools;
    for (const listener of this.#listeners) listener(event);
  }

  cancel(): void {
    this.isCancelled = true;
    this.#stop?.();
  }

  /** Plays events in sequence; returns whether it was stopped before the last. */
  async play(events: readonly TimedEvent[]): Promise<boolean> {
    let isStopped = false;
    const stopped = new Promise<void>((resolve) => {
      this.#stop = () => {
        isStopped = true;
        resolve();
      };
    });
    let clock = 0;
    for (const { at, event } of events) {
      if (isStopped) break;
      await Promise.race([wait((at - clock) * this.#pace), stopped]);
      clock = at;
      if (!isStopped) this.emit(event);
    }
    this.#stop = undefined;
    return isStopped;
  }
}

/** @param shape converts the recorded events to those to play */
async function answerTo(
  player: Player,
  recording: Recording,
  request: AskRequest,
  shape: (events: readonly TimedEvent[]) => readonly TimedEvent[],
): Promise<TurnResult> {
  const recorded = bestAnswer(recording.answers, request);
  if (!recorded) throw new RangeError("The recording has no answers");
  const answer = withImageKeys(recorded, Object.keys(request.images));
  const played: TimedEvent[] = [];
  const unsubscribe = player.subscribe((event) => played.push({ at: 0, event }));
  const isStopped = await player.play(shape(answer.events));
  unsubscribe();
  if (answer.failure && !isStopped) throw new EngineError(answer.failure);
  const told = await resultFor(answer.result!, request, isStopped ? played : undefined);
  const reference = isStopped ? undefined : await referenceFor(recording, request);
  if (!reference) return told;
  player.emit({ type: "answered", result: told });
  return { ...told, reference };
}

/** The recorded answer of the full cache to the same question. */
async function referenceFor(
  recording: Recording,
  request: AskRequest,
): Promise<Reference | undefined> {
  if (!request.reference || request.settings.retention === 1) return undefined;
  const settings = { ...request.settings, policy: "full", retention: 1 };
  const full = bestAnswer(recording.answers, { ...request, settings });
  const isSame = full?.retention === 1 && full.question === request.turns.at(-1)?.question;
  if (!isSame || !full.result) return undefined;
  const recorded = withImageKeys(full, Object.keys(request.images));
  const result = await resultFor(recorded.result!, request);
  return { result, source: "fork", peakBytes: result.kvBytes.peak };
}

/** Without a reference: a recording's lanes include the full cache. */
async function answerLanes(
  player: Player,
  recording: Recording,
  { lanes, reference: _, ...request }: CompareRequest,
): Promise<readonly LaneOutcome[]> {
  const outcomes: LaneOutcome[] = [];
  player.isCancelled = false;
  for (const [lane, settings] of lanes.entries()) {
    const asked = { ...request, settings };
    const answered = answerTo(player, recording, asked, (events) => eventsOfLane(events, lane));
    outcomes.push(
      await answered.then(
        (result) => ({ result }),
        (error) => ({ failure: toFailure(error) }),
      ),
    );
    if (player.isCancelled) break;
  }
  // The cache of the first lane stays.
  const first = bestAnswer(recording.answers, { ...request, settings: lanes[0]! });
  const reading = first?.events.findLast(({ event }) => event.type === "memory");
  if (reading && !player.isCancelled) player.emit(reading.event);
  const failure = { code: "cancelled", message: "Stopped before the first token." } as const;
  return lanes.map((_, lane) => outcomes[lane] ?? { failure });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
