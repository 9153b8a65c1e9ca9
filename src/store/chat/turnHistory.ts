import type { CacheSettings } from "@/protocol/engine";
import { type Attempt, type ChatConversation, standingAttempt } from "../conversation/conversation";

/** What one answered turn left behind, for the charts that look over a whole conversation. */
export interface TurnPoint {
  /** Place of the question in the conversation, from 1. */
  readonly turn: number;
  readonly settings: CacheSettings;
  /** KV bytes when its answer had ended. */
  readonly kvBytes: number;
  /** What the full cache would have taken then. */
  readonly fullKvBytes: number;
  /** Median milliseconds per token; undefined for an answer of one token. */
  readonly msPerToken: number | undefined;
}

/** The attempt that stands of each exchange, undefined where none is answered. */
export function standingAttempts({
  exchanges,
}: ChatConversation): readonly (Attempt | undefined)[] {
  return exchanges.map(standingAttempt);
}

/** Answered turns in their order; questions that got no answer leave a gap in the numbering. */
export function turnHistory(standing: readonly (Attempt | undefined)[]): readonly TurnPoint[] {
  return standing.flatMap((attempt, index) => {
    if (attempt?.run.phase !== "done") return [];
    const { kvBytes, ms } = attempt.run.result;
    const { median } = ms.decodePerToken;
    return [
      {
        turn: index + 1,
        settings: attempt.settings,
        kvBytes: kvBytes.end,
        fullKvBytes: kvBytes.full,
        msPerToken: median > 0 ? median : undefined,
      },
    ];
  });
}
