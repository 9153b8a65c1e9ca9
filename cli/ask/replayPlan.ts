import { DEFAULT_SAMPLING } from "@/protocol/defaults";
import type { LoadRequest } from "@/protocol/model";
import type { AskRequest, Sampling } from "@/protocol/request";
import { framesOf } from "@/store/chat/asking";
import {
  type ChatConversation,
  type Exchange,
  turnsUntil,
} from "@/store/conversation/conversation";
import type { Origin } from "@/store/conversation/origin";
import { type AttemptRecord, type ConversationRecord, revive } from "@/store/library/records";
import { inputError } from "../shared/options";

/** One call of the engine: a question alone, or a comparison with its lanes. */
export interface ReplayCall {
  readonly question: string;
  readonly attempts: readonly AttemptRecord[];
  readonly turns: AskRequest["turns"];
  readonly frames?: NonNullable<AskRequest["frames"]>;
  readonly sampling: Sampling;
}

/**
 * The calls of a conversation in chronological order, each with its history: for an earlier
 * question with several attempts, the answer that was current at that time.
 */
export function planReplay(record: ConversationRecord): readonly ReplayCall[] {
  const conversation = revive(record);
  const calls = record.exchanges.flatMap((exchange) =>
    callsOf(exchange.attempts).map((attempts) => ({ exchange, attempts })),
  );
  const times = calls.map(({ attempts }) => startOf(attempts));
  // If times are missing, the order in the document is the best estimate.
  if (times.every((at) => at !== undefined)) {
    calls.sort((a, b) => (startOf(a.attempts) ?? 0) - (startOf(b.attempts) ?? 0));
  }
  const asked = new Set<string>();
  const frames = framesOf(conversation);
  return calls.map(({ exchange, attempts }) => {
    const origin = attempts.map(originOf).find((each) => each !== undefined);
    const turns = turnsUntil(asItWas(conversation, asked), exchange.id, origin?.model);
    for (const { id } of attempts) asked.add(id);
    return {
      question: exchange.question,
      attempts,
      turns,
      ...(frames && { frames }),
      sampling: origin?.sampling ?? DEFAULT_SAMPLING,
    };
  });
}

/** Attempts of one call of the engine, at least one of them with a result. */
function callsOf(attempts: readonly AttemptRecord[]): readonly (readonly AttemptRecord[])[] {
  const calls: AttemptRecord[][] = [];
  for (const attempt of attempts) {
    if (attempt.hidden) continue;
    const at = originOf(attempt)?.startedAt;
    const lanes = calls.find((call) => {
      const start = startOf(call);
      const isSameRun = at === undefined || start === undefined || at === start;
      return (
        attempt.comparison !== undefined && call[0]?.comparison === attempt.comparison && isSameRun
      );
    });
    if (lanes) lanes.push(attempt);
    else calls.push([attempt]);
  }
  return calls.filter((call) => call.some(({ run }) => run.phase === "done"));
}

/** How the weights and the cache of an answer were held: what a load must ask for. */
export function typesOfOrigin(
  origin: Origin | undefined,
): Pick<LoadRequest, "kvType" | "weightType"> {
  if (!origin) return {};
  const { kvType, elementType } = origin;
  const isAsked = elementType !== "f16" && elementType !== "bf16";
  return { kvType, ...(isAsked && { weightType: elementType }) };
}

/** What gave a finished answer: model, types and settings; undefined without one. */
export function originOf({ run }: AttemptRecord): Origin | undefined {
  return run.phase === "done" ? run.origin : undefined;
}

function startOf(attempts: readonly AttemptRecord[]): number | undefined {
  return attempts.map((attempt) => originOf(attempt)?.startedAt).find((at) => at !== undefined);
}

/** The conversation at the time when only the attempts in `asked` had been answered. */
function asItWas(conversation: ChatConversation, asked: ReadonlySet<string>): ChatConversation {
  const exchanges = conversation.exchanges.map(
    (exchange): Exchange => ({
      ...exchange,
      attempts: exchange.attempts.filter(({ id }) => asked.has(id)),
    }),
  );
  return { ...conversation, exchanges };
}

/** The model of a conversation. */
export function modelOf(calls: readonly ReplayCall[]): string | undefined {
  const names = new Set(
    calls.flatMap(({ attempts }) => attempts.flatMap((each) => originOf(each)?.model ?? [])),
  );
  if (names.size > 1) {
    const several = [...names].join(" and ");
    throw inputError(`This conversation used ${several}: choose one with --model to replay it.`);
  }
  return [...names][0];
}

/** A sentence if answers were given by other weights than those that are loaded now. */
export function otherWeights(
  calls: readonly ReplayCall[],
  { weights: loaded = "unknown" }: Readonly<Record<string, string>>,
): string | undefined {
  const recorded = new Set(
    calls.flatMap(({ attempts }) =>
      attempts.flatMap((each) => originOf(each)?.versions.weights ?? []),
    ),
  );
  recorded.delete(loaded);
  if (recorded.size === 0) return undefined;
  return `The conversation was answered by other weights (${[...recorded].join(", ")}) than these (${loaded}).`;
}
