import { DEFAULT_SETTINGS } from "@/protocol/defaults";
import type { EngineFailure } from "@/protocol/failure";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { hasImagesBefore } from "@/store/conversation/conversationImages";
import { clampPercent, FULL, type SettingsStore, smallerWeights } from "@/store/settings/settings";
import { useApp, useChat } from "../useApp";

type Action = NonNullable<EngineFailure["action"]>;

/** Holds the weights in fewer bits, which loads the model again. */
export function holdLess(settings: SettingsStore): void {
  const weights = smallerWeights(settings.getState().weights);
  if (weights) settings.choose({ weights });
}

/** Asks a refused question again under a higher cap. */
export function useRaiseCap({ id, settings }: Attempt): (capMb: number) => void {
  const app = useApp();
  return (capMb) => {
    app.settings.choose({ capMb });
    app.chat.retry(id, { ...settings, capMb });
  };
}

/**
 * Asks again with half of what earlier images kept, if that helps: under a cap the engine has given up all
 * that it may already, and a full cache drops nothing.
 */
export function useKeepLessOfEarlier(
  exchange: Exchange,
  { id, settings, run, comparison }: Attempt,
): (() => void) | undefined {
  const app = useApp();
  const hasEarlier = useChat(({ conversation }) => hasImagesBefore(conversation, exchange.id));
  const isOut = run.phase === "failed" && run.failure.code === "outOfMemory";
  const { retention, earlierRetention = retention } = settings;
  const earlierPercent = clampPercent((earlierRetention * 100) / 2);
  const isFullLane = comparison !== undefined && settings.policy === FULL;
  if (!hasEarlier || !isOut || isFullLane || earlierRetention <= 0.01) return undefined;
  return () => {
    app.settings.choose({ earlierPercent });
    app.chat.retry(id, { ...settings, earlierRetention: earlierPercent / 100 });
  };
}

/** The action of the button beside a failed answer. */
export function useFailureAction({ id, settings, comparison }: Attempt): (action: Action) => void {
  const app = useApp();
  return (action) => {
    switch (action) {
      case "retry":
        return app.chat.retry(id, settings);
      case "keepLess": {
        const keepPercent = clampPercent((settings.retention * 100) / 2);
        // A lane keeps its policy; a full cache can keep less only under another one.
        if (comparison !== undefined && settings.policy !== FULL) {
          return app.chat.retry(id, { ...settings, retention: keepPercent / 100 });
        }
        const policy = settings.policy === FULL ? DEFAULT_SETTINGS.policy : settings.policy;
        app.settings.choose({ policy, keepPercent });
        return app.chat.retry(id, app.next());
      }
      case "chooseImage":
        return document.getElementById("image-file")?.click();
      case "reload":
        // The question waits for the model and is asked when it is loaded again.
        app.chat.retry(id, settings);
        if (app.load.store.getState().phase !== "loading") void app.load.retry();
        return;
      case "smallerWeights":
        app.chat.retry(id, settings);
        return holdLess(app.settings);
      case "newConversation":
        return app.library.begin();
      default:
        return action satisfies never;
    }
  };
}
