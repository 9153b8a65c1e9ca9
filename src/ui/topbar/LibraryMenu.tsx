import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import { useApp, useChat } from "../useApp";
import { distinctTitles } from "./distinctTitles";
import styles from "./Library.module.css";
import { DeleteEverything, StoredCachesLine } from "./LibraryFooter";
import { LibraryItem } from "./LibraryItem";

const PANEL = "library-panel";

/** Conversations stored in this browser: open, rename, export, delete, import. */
export function LibraryMenu() {
  const { library } = useApp();
  const { entries, isStoring, failure } = useStore(library.archive.store);
  const current = useChat((state) => state.conversation.id);
  const hasQuestions = useChat((state) => state.conversation.exchanges.length > 0);
  return (
    <>
      <button type="button" className={styles.open} popoverTarget={PANEL}>
        {texts.page.history.open}
      </button>
      <div id={PANEL} popover="auto" className={styles.panel}>
        <div className={styles.head}>
          <h2>{texts.page.history.title}</h2>
          <Import />
          <button
            type="button"
            className={styles.link}
            disabled={!hasQuestions}
            onClick={() => {
              library.begin();
              hide();
            }}
          >
            {texts.page.history.fresh}
          </button>
        </div>
        {failure && (
          <p className={styles.failure} role="alert">
            {failure}
          </p>
        )}
        <Removed />
        {entries.length === 0 && (
          <p className={styles.none}>
            {isStoring ? texts.page.history.none : texts.page.history.notStored}
          </p>
        )}
        <ul>
          {distinctTitles(entries).map((entry) => (
            <LibraryItem
              key={entry.id}
              entry={entry}
              isCurrent={entry.id === current}
              onOpened={hide}
            />
          ))}
        </ul>
        <StoredCachesLine />
        <DeleteEverything />
      </div>
    </>
  );
}

function hide() {
  document.getElementById(PANEL)?.hidePopover();
}

/** Imports a conversation that was exported as JSON. */
function Import() {
  const { library } = useApp();
  const [failure, setFailure] = useState<string>();
  const input = useRef<HTMLInputElement>(null);

  async function take(file: File | undefined) {
    if (!file) return;
    const refused = await library.take(file);
    setFailure(refused);
    if (refused) return;
    location.hash = "#chat";
    hide();
  }

  return (
    <>
      <button
        type="button"
        className={styles.link}
        title={texts.page.history.importHelp}
        onClick={() => input.current?.click()}
      >
        {texts.page.history.import}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".json,application/json"
        aria-label={texts.page.history.importFile}
        onChange={({ target }) => {
          void take(target.files?.[0]);
          // Choosing the same file again also fires a change.
          target.value = "";
        }}
      />
      {failure && (
        <p className={styles.failure} role="alert">
          {failure}
        </p>
      )}
    </>
  );
}

/** The conversation deleted last, with *Undo*. */
function Removed() {
  const { library } = useApp();
  const removed = useStore(library.store, (state) => state.removed);
  const undo = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The button that deleted it is gone, and with it the focus.
    if (removed && document.activeElement === document.body) undo.current?.focus();
  }, [removed]);
  if (!removed) return null;
  return (
    <p className={styles.removed} role="status">
      <span>{texts.page.history.removed(removed.title)}</span>
      <button
        ref={undo}
        type="button"
        className={styles.link}
        onClick={() => void library.undoRemove()}
      >
        {texts.page.history.undo}
      </button>
    </p>
  );
}
