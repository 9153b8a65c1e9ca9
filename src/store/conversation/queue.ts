import type { CacheSettings } from "@/protocol/request";
import type { Attempt, ChatConversation, Exchange } from "./conversation";

/** The oldest waiting attempt, with the other lanes of its comparison. */
export function nextQueued(
  conversation: ChatConversation,
): { readonly exchange: Exchange; readonly attempts: readonly Attempt[] } | undefined {
  for (const exchange of conversation.exchanges) {
    const waiting = exchange.attempts.filter(({ run }) => run.phase === "queued");
    const first = waiting[0];
    if (!first) continue;
    const attempts = waiting.filter(
      (each) => each === first || (first.comparison && each.comparison === first.comparison),
    );
    return { exchange, attempts };
  }
  return undefined;
}

/** The conversation with an attempt reset to waiting, with these settings. */
export function requeue(
  conversation: ChatConversation,
  attemptId: string,
  settings: CacheSettings,
): ChatConversation {
  const exchanges = conversation.exchanges.map((exchange) => ({
    ...exchange,
    attempts: exchange.attempts.map((attempt) =>
      attempt.id === attemptId
        ? { ...attempt, settings, run: { phase: "queued" } as const }
        : attempt,
    ),
  }));
  return { ...conversation, exchanges };
}
