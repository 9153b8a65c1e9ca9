import { useState } from "react";
import { texts } from "@/language/language";
import { shownRows } from "@/store/chat/shownRows";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { reportOf } from "@/store/conversation/run";
import { questionSettings } from "@/store/settings/settings";
import { Menu } from "../shared/Menu";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat, useSettings, useViewerImage } from "../useApp";
import styles from "./Chat.module.css";

const COPIED_MS = 1500;

interface CopyProps {
  readonly text: string;
  /** What is copied, for screen readers. */
  readonly what?: "answer" | "question" | "link";
}

/** Copies a text and confirms it without changing its width. */
export function CopyButton({ text, what = "answer" }: CopyProps) {
  const [said, setSaid] = useState<"copied" | "failed">();

  async function copy() {
    // Absent if the page is not served over https or from localhost.
    const isCopied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setSaid(isCopied ? "copied" : "failed");
    setTimeout(() => setSaid(undefined), COPIED_MS);
  }

  const words = texts.chat.copy;
  const isLink = what === "link";
  const copied = { ...words, ...(isLink ? { copy: texts.share.link } : {}) };
  return (
    <button
      type="button"
      title={isLink ? texts.share.linkHelp : undefined}
      onClick={() => void copy()}
    >
      <span className={styles.swap} aria-live="polite">
        {(["copy", "copied", "failed"] as const).map((word) => (
          <span key={word} data-off={word !== (said ?? "copy")}>
            {copied[word]}
          </span>
        ))}
      </span>
      {what !== "link" && <span className="unseen">{words[what]}</span>}
    </button>
  );
}

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
