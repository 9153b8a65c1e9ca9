import type { EngineEvent } from "@/protocol/event";
import { EngineError, type EngineFailure } from "@/protocol/failure";
import type { ModelInfo } from "@/protocol/model";
import type { AskRequest, CacheSettings } from "@/protocol/request";
import type { ImageLayout, PlanPreview, TurnResult } from "@/protocol/result";
import { cutTo, decoded, type RecordedExplanation } from "./recordedExplanation";

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

/** The events of one lane; only the first lane includes the shared events. */
export function eventsOfLane(events: readonly TimedEvent[], lane: number): readonly TimedEvent[] {
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

/** A recorded result as a request wants it. @param played the events of a stopped run */
export async function resultFor(
  { explanation, ...result }: RecordedResult,
  { explain }: AskRequest,
  played?: readonly TimedEvent[],
): Promise<TurnResult> {
  const told = played ? stoppedResult(result, played) : result;
  if (!explain || !explanation) return told;
  return { ...told, explanation: cutTo(await decoded(explanation), told.tokenIds.length) };
}

/** Prefers the same question, then the same policy, then the nearest retention. */
export function bestAnswer(
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
export function withImageKeys(answer: RecordedAnswer, keys: readonly string[]): RecordedAnswer {
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
export function recordedPreview(
  answers: readonly RecordedAnswer[],
  settings: CacheSettings,
): PlanPreview {
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
