import { useEffect, useRef, useState } from "react";
import type { ChatState } from "@/store/chat/chatState";
import { textOf } from "@/store/conversation/run";
import { useChat } from "../useApp";
import { sentencesFrom } from "./sentences";

/** Reads an answer out sentence by sentence: a live region that never changes mid-sentence. */
export function Announcer() {
  const text = useChat(liveText);
  const isDone = useChat((state) => state.running === undefined);
  const said = useRef(0);
  const [sentence, setSentence] = useState("");

  useEffect(() => {
    if (text.length < said.current) said.current = 0;
    const { next, end } = sentencesFrom(text, said.current, isDone);
    if (end === said.current) return;
    said.current = end;
    setSentence(next);
  }, [text, isDone]);

  return (
    <div className="unseen" aria-live="polite">
      {sentence}
    </div>
  );
}

/** The running answer; once nothing runs, the last one, so that its end is read out too. */
function liveText({ conversation, running }: ChatState): string {
  const attempts = conversation.exchanges.flatMap((exchange) => exchange.attempts);
  const attempt = attempts.find(({ id }) => id === running) ?? attempts.at(-1);
  return attempt ? textOf(attempt.run) : "";
}
