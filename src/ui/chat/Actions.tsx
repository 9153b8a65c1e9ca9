import { useState } from "react";
import { type Attempt, type Exchange, reportOf } from "@/store/conversation";
import { cacheSettings } from "@/store/settings";
import { shownRows } from "@/store/shownRows";
import { Menu } from "../shared/Menu";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat, useSettings, useStagePicture } from "../useApp";

const COPIED_MS = 1500;

interface AnswerProps {
  readonly attempt: Attempt;
  readonly text: string;
}

/** What can be done with one answer. */
export function AnswerActions({ attempt, text }: AnswerProps) {
  const app = useApp();
  const [isCopied, setCopied] = useState(false);
  const picture = useStagePicture();
  const isShown = useChat((state) => {
    return picture !== undefined && shownRows(state, picture.id)?.attempt.id === attempt.id;
  });
  const hasPatches = reportOf(attempt.run)?.images.length !== 0;

  async function copy() {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  }

  return (
    <>
      {hasPatches && (
        <button type="button" aria-pressed={isShown} onClick={() => app.chat.show(attempt.id)}>
          Show patches
        </button>
      )}
      <button type="button" onClick={() => void copy()}>
        {isCopied ? "Copied" : "Copy"}
      </button>
    </>
  );
}

/** Ways to ask an answered question once more. */
export function AgainActions({ exchange }: { readonly exchange: Exchange }) {
  const app = useApp();
  const settings = useSettings((state) => state);
  const again = app.policies.map((policy) => {
    const other = cacheSettings({ ...settings, policy: policy.id }, app.policies);
    return {
      key: policy.id,
      label: settingsLabel(app.policies, other),
      onPick: () => app.chat.askAgain(exchange.id, other),
    };
  });

  return (
    <>
      <button type="button" onClick={() => app.chat.askAgain(exchange.id, app.next())}>
        Ask again
      </button>
      <Menu label="Ask again with…" items={again} />
      <button type="button" onClick={() => app.compareAgain(exchange.id)}>
        Compare
      </button>
    </>
  );
}
