import { texts } from "@/language/language";
import { shownRows } from "@/store/chat/shownRows";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { reportOf } from "@/store/conversation/run";
import { questionSettings } from "@/store/settings/settings";
import { CopyButton } from "../shared/Copy";
import { Menu } from "../shared/Menu";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat, useSettings, useViewerImage } from "../useApp";

interface AnswerProps {
  readonly attempt: Attempt;
  readonly text: string;
}

/** Actions on one answer. */
export function AnswerActions({ attempt, text }: AnswerProps) {
  const app = useApp();
  const image = useViewerImage();
  const isShown = useChat((state) => {
    return image !== undefined && shownRows(state, image.id)?.attempt.id === attempt.id;
  });
  const hasPatches = reportOf(attempt.run)?.images.length !== 0;

  return (
    <>
      {hasPatches && (
        <button type="button" aria-pressed={isShown} onClick={() => app.chat.show(attempt.id)}>
          {texts.chat.actions.showPatches}
        </button>
      )}
      <CopyButton text={text} />
    </>
  );
}

/** Actions that ask an answered question again. */
export function AgainActions({ exchange }: { readonly exchange: Exchange }) {
  const app = useApp();
  const settings = useSettings((state) => state);
  const again = app.policies.map((policy) => {
    const other = questionSettings({ ...settings, policy: policy.id }, app.policies);
    return {
      key: policy.id,
      label: settingsLabel(app.policies, other),
      onPick: () => app.chat.askAgain(exchange.id, other),
    };
  });

  return (
    <>
      <button type="button" onClick={() => app.chat.askAgain(exchange.id, app.next())}>
        {texts.chat.actions.again}
      </button>
      <Menu label={texts.chat.actions.againWith} items={again} />
      <button type="button" onClick={() => app.compareAgain(exchange.id)}>
        {texts.chat.actions.compare}
      </button>
    </>
  );
}
