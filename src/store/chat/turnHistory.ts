import type { CacheSettings } from "@/protocol/request";
import { type Attempt, type ChatConversation, standingAttempt } from "../conversation/conversation";

/** Measurements of one answered turn, for the charts of a whole conversation. */
export interface TurnPoint {
  /** Number of the question in the conversation, from 1. */
  readonly turn: number;
  readonly settings: CacheSettings;
  /** KV bytes at the end of its answer. */
  readonly kvBytes: number;
  /** Bytes of a full cache at that time. */
  readonly fullKvBytes: number;
  /** Median milliseconds per token; undefined for an answer of one token. */
  readonly msPerToken: number | undefined;
}

/** The current attempt of each exchange; undefined if none is answered. */
export function standingAttempts({
  exchanges,
}: ChatConversation): readonly (Attempt | undefined)[] {
  return exchanges.map(standingAttempt);
}

/** Answered turns in order; unanswered questions leave a gap in the numbering. */
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
