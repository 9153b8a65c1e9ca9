import { useEffect, useRef, useState } from "react";
import { textOf } from "@/store/conversation/run";
import { useChat } from "../useApp";
import { sentencesFrom } from "./sentences";

/** Reads an answer out while it is given: a live region that never changes mid-sentence. */
export function Announcer() {
  const running = useChat((state) => state.running);
  const [latest, setLatest] = useState(running);
  if (running !== undefined && running !== latest) setLatest(running);
  return (
    <div className="unseen" aria-live="polite">
      {latest && <Sentences key={latest} id={latest} />}
    </div>
  );
}

/** The newest sentences of one attempt; the rest of it once it has ended. */
function Sentences({ id }: { readonly id: string }) {
  const run = useChat(({ conversation }) =>
    conversation.exchanges.flatMap(({ attempts }) => attempts).find((each) => each.id === id),
  )?.run;
  const text = run ? textOf(run) : "";
  const isDone = run?.phase === "done" || run?.phase === "failed";
  const said = useRef(0);
  const [sentence, setSentence] = useState("");

  useEffect(() => {
    if (text === "") {
      said.current = 0;
      setSentence("");
    }
    const { next, end } = sentencesFrom(text, said.current, isDone);
    if (end <= said.current) return;
    said.current = end;
    setSentence(next);
  }, [text, isDone]);

  return sentence || null;
}
