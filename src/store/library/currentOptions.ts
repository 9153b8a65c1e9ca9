import { currentNames } from "@/compression/options";
import type { ChatConversation } from "../conversation/conversation";
import type { PolicyInfo } from "../settings/policyInfo";

/** A conversation of any version, its options under the names that they have now. */
export function withCurrentOptions(
  conversation: ChatConversation,
  policies: readonly PolicyInfo[],
): ChatConversation {
  const specsOf = (id: string) => policies.find((policy) => policy.id === id)?.options ?? {};
  return {
    ...conversation,
    exchanges: conversation.exchanges.map((exchange) => ({
      ...exchange,
      attempts: exchange.attempts.map((attempt) => {
        const { policy, options } = attempt.settings;
        const renamed = currentNames(specsOf(policy), options);
        return { ...attempt, settings: { ...attempt.settings, options: renamed } };
      }),
    })),
  };
}
