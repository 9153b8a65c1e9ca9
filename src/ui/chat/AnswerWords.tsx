import { type FocusEvent, type KeyboardEvent, type PointerEvent, useMemo, useState } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import { wordsAttendingTo } from "@/store/attention/wordAttention";
import type { Attempt } from "@/store/conversation/conversation";
import { useApp, useSettings } from "../useApp";
import styles from "./AnswerWords.module.css";
import type { ComparedPart } from "./comparedParts";
import { Differing } from "./Differing";
import { nextWord } from "./nextWord";

interface Props {
  readonly attempt: Attempt;
  /** The answer, in runs that agree with a reference and runs that differ. */
  readonly parts: readonly ComparedPart[];
}

/**
 * An answer whose words highlight the patches that they attend to: one tab stop, arrow keys from word to
 * word. The current word is in a store that the viewer follows; the transcript is not rendered again.
 */
export function AnswerWords({ attempt, parts }: Props) {
  const { attentionView } = useApp();
  const [current, setCurrent] = useState(0);
  const attending = useAttendingWords(attempt);
  const pieces = useMemo(() => piecesOf(parts), [parts]);
  const count = pieces.at(-1)?.words.at(-1)?.next ?? 0;

  function hover(event: PointerEvent<HTMLElement>) {
    if (event.pointerType !== "mouse") return;
    const word = wordAt(event.target);
    if (word !== undefined) attentionView.rest({ attempt: attempt.id, word });
  }

  function focus(event: FocusEvent<HTMLElement>) {
    const word = wordAt(event.target);
    if (word === undefined) return;
    setCurrent(word);
    attentionView.rest({ attempt: attempt.id, word });
  }

  function press(event: KeyboardEvent<HTMLElement>) {
    const group = event.currentTarget;
    if (event.key === "Escape") {
      event.stopPropagation();
      attentionView.leave();
      return group.closest<HTMLElement>("section[tabindex]")?.focus();
    }
    const next = nextWord(event.key, current, count);
    if (next === undefined) return;
    event.preventDefault();
    wordElement(group, next)?.focus();
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form controls
    <span
      role="group"
      aria-label={texts.chat.answer.words}
      onPointerOver={hover}
      onPointerLeave={({ currentTarget, pointerType }) => {
        if (pointerType === "mouse" && !currentTarget.contains(document.activeElement))
          attentionView.leave();
      }}
      // Some browsers do not focus on a tap by default.
      onClick={({ currentTarget, target }) => {
        const word = wordAt(target);
        if (word !== undefined) wordElement(currentTarget, word)?.focus();
      }}
      onFocus={focus}
      onBlur={attentionView.leave}
      onKeyDown={press}
    >
      {pieces.map(({ differs, words }, index) => {
        const shown = words.map(({ text, word }) =>
          word === undefined ? (
            text
          ) : (
            <span
              key={word}
              className={styles.word}
              data-word={word}
              data-attending={attending.has(word) || undefined}
              tabIndex={word === current ? 0 : -1}
            >
              {text}
            </span>
          ),
        );
        // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name than their place
        return differs ? <Differing key={index}>{shown}</Differing> : shown;
      })}
    </span>
  );
}

const NONE: ReadonlySet<number> = new Set();

/** Words that attend to the patch that was pinned last. */
function useAttendingWords(attempt: Attempt): ReadonlySet<number> {
  const { attentionView } = useApp();
  const pinned = useStore(attentionView.store, (state) => state.pinned.at(-1));
  const layer = useSettings((state) => (pinned === undefined ? undefined : state.layer));
  return useMemo(() => {
    if (pinned === undefined || layer === undefined) return NONE;
    return new Set(wordsAttendingTo(attempt, pinned, layer));
  }, [attempt, pinned, layer]);
}

interface Piece {
  readonly text: string;
  /** Place among the answer's words; white space has none. */
  readonly word: number | undefined;
  /** Place of the word after it. */
  readonly next: number;
}

function piecesOf(
  parts: readonly ComparedPart[],
): readonly { readonly differs: boolean; readonly words: readonly Piece[] }[] {
  let next = 0;
  return parts.map(({ text, differs }) => {
    const words = text.split(/(\s+)/).filter((each) => each !== "");
    return {
      differs,
      words: words.map((each) => {
        const word = /^\s/.test(each) ? undefined : next++;
        return { text: each, word, next };
      }),
    };
  });
}

function wordAt(target: EventTarget): number | undefined {
  const element = target instanceof Element ? target.closest<HTMLElement>("[data-word]") : null;
  return element ? Number(element.dataset.word) : undefined;
}

function wordElement(group: HTMLElement, word: number): HTMLElement | null {
  return group.querySelector<HTMLElement>(`[data-word="${word}"]`);
}
