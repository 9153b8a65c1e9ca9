import { useMemo } from "react";
import { hasAttention } from "@/store/attention/wordAttention";
import type { Attempt } from "@/store/conversation/conversation";
import { textOf } from "@/store/conversation/run";
import { AnswerWords } from "./AnswerWords";
import { comparedParts } from "./comparedParts";
import { Differing } from "./Differing";

interface Props {
  readonly attempt: Attempt;
  /** The full cache's answer, where words that it does not have are to be marked. */
  readonly reference?: string | undefined;
}

/** The text of an attempt; word by word if its attention was recorded. */
export function ComparedText({ attempt, reference }: Props) {
  const text = textOf(attempt.run);
  const isStreaming = attempt.run.phase === "running";
  const parts = useMemo(
    () =>
      reference === undefined
        ? [{ text, differs: false }]
        : comparedParts(text, reference, isStreaming),
    [text, reference, isStreaming],
  );
  if (hasAttention(attempt)) return <AnswerWords attempt={attempt} parts={parts} />;
  return parts.map(({ text: part, differs }, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name than their place
    differs ? <Differing key={index}>{part}</Differing> : part,
  );
}
