import { useState } from "react";
import { texts } from "@/language/language";
import { shownRows } from "@/store/chat/shownRows";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { reportOf } from "@/store/conversation/run";
import { questionSettings } from "@/store/settings/settings";
import { Menu } from "../shared/Menu";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat, useSettings, useViewerImage } from "../useApp";
import styles from "./Answer.module.css";

const COPIED_MS = 1500;

interface CopyProps {
  readonly text: string;
  /** What is copied, for screen readers. */
  readonly what?: "answer" | "question";
}

/** Copies a text and confirms it without changing its width. */
export function CopyButton({ text, what = "answer" }: CopyProps) {
  const [said, say] = useSaid();
  const words = texts.chat.copy;
  return (
    <button type="button" onClick={async () => say(await copyText(text))}>
      <SwapLabel words={words} shown={said ?? "copy"} />
      <span className="unseen">{words[what]}</span>
    </button>
  );
}

/** What an action came to, which its button says for a moment. */
export function useSaid() {
  const [said, setSaid] = useState<"copied" | "failed">();

  function say(word: "copied" | "failed") {
    setSaid(word);
    setTimeout(() => setSaid(undefined), COPIED_MS);
  }

  return [said, say] as const;
}

export async function copyText(text: string): Promise<"copied" | "failed"> {
  // Absent if the page is not served over https or from localhost.
  const isCopied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  return isCopied ? "copied" : "failed";
}

type CopyWords = Readonly<Record<"copy" | "copied" | "failed", string>>;

interface SwapProps {
  readonly words: CopyWords;
  readonly shown: keyof CopyWords;
}

/** One of the words, as wide as the widest. */
export function SwapLabel({ words, shown }: SwapProps) {
  return (
    <span className={styles.swap} aria-live="polite">
      {(["copy", "copied", "failed"] as const).map((word) => (
        <span key={word} data-off={word !== shown}>
          {words[word]}
        </span>
      ))}
    </span>
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
