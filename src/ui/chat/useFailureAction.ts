import type { EngineFailure } from "@/protocol/engine";
import type { Attempt } from "@/store/conversation/conversation";
import { clampPercent, FULL } from "@/store/settings/settings";
import { useApp } from "../useApp";

type Action = NonNullable<EngineFailure["action"]>;

/** Asks a refused question again under a higher cap. */
export function useRaiseCap({ id, settings }: Attempt): (capMb: number) => void {
  const app = useApp();
  return (capMb) => {
    app.settings.choose({ capMb });
    app.chat.retry(id, { ...settings, capMb });
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
        app.settings.choose({ keepPercent });
        return app.chat.retry(id, app.next());
      }
      case "chooseImage":
        return document.getElementById("image-file")?.click();
      case "reload":
        // The question waits for the model and is asked when it is loaded again.
        app.chat.retry(id, settings);
        if (app.load.store.getState().phase !== "loading") void app.load.retry();
        return;
      case "newConversation":
        return app.library.begin();
      default:
        return action satisfies never;
    }
  };
}
