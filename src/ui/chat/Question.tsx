import { type FormEvent, type KeyboardEvent, useRef, useState } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import type { Exchange } from "@/store/conversation/conversation";
import { CopyButton } from "../shared/Copy";
import { useApp } from "../useApp";
import answer from "./Answer.module.css";
import composer from "./Composer.module.css";
import { MAX_CHARACTERS } from "./limits";
import styles from "./Question.module.css";

/** A question, and the form to replace it. */
export function Question({ exchange }: { readonly exchange: Exchange }) {
  const { library } = useApp();
  const [isEditing, setEditing] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
  const replaced = useStore(library.store, ({ edited }) =>
    edited?.exchangeId === exchange.id ? edited.title : undefined,
  );

  function leave() {
    setEditing(false);
    // After the button is rendered again.
    requestAnimationFrame(() => edit.current?.focus());
  }

  if (isEditing) return <Editor exchange={exchange} onLeave={leave} />;
  return (
    <div className={styles.asked}>
      <p className={styles.question} dir="auto">
        {exchange.question}
      </p>
      <div className={styles.actions}>
        <div className={answer.actions}>
          <button ref={edit} type="button" onClick={() => setEditing(true)}>
            {texts.chat.question.edit}
            <span className="unseen">{texts.chat.question.editWhat}</span>
          </button>
          <CopyButton text={exchange.question} what="question" />
        </div>
      </div>
      {replaced && (
        <p className={styles.notice} role="status">
          {texts.chat.question.replaced(replaced)}
        </p>
      )}
    </div>
  );
}

interface EditorProps {
  readonly exchange: Exchange;
  readonly onLeave: () => void;
}

/** A field to edit the question: Enter asks it, Esc cancels. */
function Editor({ exchange, onLeave }: EditorProps) {
  const app = useApp();
  const [text, setText] = useState(exchange.question);
  const form = useRef<HTMLFormElement>(null);
  const canAsk = text.trim() !== "";

  function ask(event?: FormEvent) {
    event?.preventDefault();
    if (!canAsk) return;
    // This field goes away with the exchange; the keyboard stays in the conversation.
    form.current?.closest<HTMLElement>("section")?.focus();
    app.edit(exchange.id, text.trim());
  }

  function press(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      // Not also the answer that is being given.
      event.preventDefault();
      onLeave();
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    ask();
  }

  return (
    <form ref={form} className={styles.editor} onSubmit={ask}>
      <textarea
        className={composer.area}
        aria-label={texts.chat.question.edited}
        dir="auto"
        aria-describedby={`edit-${exchange.id}`}
        // biome-ignore lint/a11y/noAutofocus: the person has just asked to type here
        autoFocus
        rows={1}
        maxLength={MAX_CHARACTERS}
        value={text}
        onFocus={({ target }) => target.setSelectionRange(text.length, text.length)}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={press}
      />
      <div className={styles.tools}>
        <p id={`edit-${exchange.id}`} className={styles.hint}>
          {texts.chat.question.replaces}
        </p>
        <button type="button" className={composer.ghost} onClick={onLeave}>
          {texts.chat.question.cancel}
        </button>
        <button type="submit" className={composer.send} disabled={!canAsk}>
          {texts.chat.question.ask}
        </button>
      </div>
    </form>
  );
}
