import type { App } from "@/store/app/app";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { writeQuestion } from "@/store/settings/address";
import { FULL } from "@/store/settings/settings";

/**
 * A link that asks the question of an answer again, with its sample, its lanes and its settings; undefined if
 * the question is not about a sample alone, or about one with hidden patches, because a link carries no image, or too
 * long for a link.
 */
export function shareLink(app: App, exchange: Exchange, attempt: Attempt): string | undefined {
  const { images, exchanges } = app.chat.store.getState().conversation;
  const sample = images[0]?.sampleId;
  const isAlone = images.every(({ sampleId }) => sampleId === sample);
  const { settings, comparison, run, hidden } = attempt;
  if (sample === undefined || !isAlone || hidden || !exchanges.includes(exchange)) return undefined;
  const current = app.settings.getState();
  const lanes = exchange.attempts.filter(
    (each) => comparison !== undefined && each.comparison === comparison,
  );
  const state = {
    ...current,
    policy: settings.policy,
    keepPercent: percentOf(attempt),
    scope: settings.scope,
    options: { [settings.policy]: settings.options },
    capMb: settings.capMb,
    sampling: (run.phase === "done" && run.origin?.sampling) || current.sampling,
    sample,
  };
  const shared = {
    question: exchange.question,
    lanes: lanes.map((lane) => {
      const { policy, options } = lane.settings;
      return { policy, options, keepPercent: percentOf(lane) };
    }),
  };
  const query = writeQuestion(shared, state, app.policies);
  return query && `${location.origin}${location.pathname}${query}`;
}

function percentOf({ settings }: Attempt): number {
  return settings.policy === FULL ? 100 : Math.round(settings.retention * 100);
}
