import { useEffect, useState } from "react";
import { texts } from "@/language/language";
import styles from "./Copy.module.css";

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
  // An object, so that the same word again has the whole time again.
  const [said, setSaid] = useState<{ readonly word: "copied" | "failed" }>();

  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(undefined), COPIED_MS);
    return () => clearTimeout(timer);
  }, [said]);

  return [said?.word, (word: "copied" | "failed") => setSaid({ word })] as const;
}

/** Puts a text on the clipboard. */
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
