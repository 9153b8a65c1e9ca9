import { type FormEvent, useRef, useState } from "react";
import { useStore } from "zustand/react";
import type { Entry } from "@/store/library/records";
import { useApp, useChat } from "../useApp";
import { downloadHtml, downloadJson } from "./download";
import styles from "./Library.module.css";

const PANEL = "library-panel";

/** Conversations stored in this browser: open, rename, export, delete, import. */
export function LibraryMenu() {
  const { library } = useApp();
  const { entries, isKept, failure } = useStore(library.archive.store);
  const current = useChat((state) => state.conversation.id);
  const hasQuestions = useChat((state) => state.conversation.exchanges.length > 0);
  return (
    <>
      <button type="button" className={styles.open} popoverTarget={PANEL}>
        History
      </button>
      <div id={PANEL} popover="auto" className={styles.panel}>
        <div className={styles.head}>
          <h2>Conversations</h2>
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
            New
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
            {isKept
              ? "Conversations are stored in this browser from their first question on."
              : "This browser does not store conversations: they end with the page."}
          </p>
        )}
        <ul>
          {entries.map((entry) => (
            <LibraryItem key={entry.id} entry={entry} isCurrent={entry.id === current} />
          ))}
        </ul>
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
        title="Open a conversation that was exported as JSON"
        onClick={() => input.current?.click()}
      >
        Import
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".json,application/json"
        aria-label="Conversation to import"
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
  if (!removed) return null;
  return (
    <p className={styles.removed} role="status">
      <span>Deleted “{removed.title}”.</span>
      <button type="button" className={styles.link} onClick={() => void library.undoRemove()}>
        Undo
      </button>
    </p>
  );
}

interface ItemProps {
  readonly entry: Entry;
  readonly isCurrent: boolean;
}

function LibraryItem({ entry, isCurrent }: ItemProps) {
  const { library } = useApp();
  const [isNaming, setNaming] = useState(false);
  const { id, title } = entry;

  function rename(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    setNaming(false);
    void library.rename(id, name);
  }

  async function open() {
    await library.open(id);
    location.hash = "#chat";
    hide();
  }

  return (
    <li className={styles.item} data-current={isCurrent}>
      {isNaming ? (
        <form onSubmit={rename} className={styles.naming}>
          <input
            name="name"
            aria-label={`Name of ${title}`}
            defaultValue={title}
            dir="auto"
            // biome-ignore lint/a11y/noAutofocus: the person has just asked to type here
            autoFocus
          />
          <button type="submit" className={styles.link}>
            Save
          </button>
        </form>
      ) : (
        <button
          type="button"
          className={styles.title}
          aria-current={isCurrent}
          dir="auto"
          onClick={() => void open()}
        >
          {title}
        </button>
      )}
      <Facts entry={entry} />
      <Tools entry={entry} onRename={() => setNaming(!isNaming)} />
    </li>
  );
}

function Facts({ entry: { updatedAt, pictures: images, questions } }: { readonly entry: Entry }) {
  return (
    <p className={styles.facts}>
      <time dateTime={new Date(updatedAt).toISOString()}>{dateOf(updatedAt)}</time>
      <span>{counted(images, "image")}</span>
      <span>{counted(questions, "question")}</span>
    </p>
  );
}

function Tools({ entry, onRename }: { readonly entry: Entry; readonly onRename: () => void }) {
  const { library, policies } = useApp();
  const [failure, setFailure] = useState<string>();
  const { id, title } = entry;

  async function save(download: () => Promise<void>) {
    setFailure(undefined);
    await download().catch(() => setFailure("This conversation could not be exported."));
  }

  return (
    <>
      <div className={styles.tools}>
        <button type="button" aria-label={`Rename ${title}`} onClick={onRename}>
          Rename
        </button>
        <span className={styles.exports}>
          <span>Export</span>
          <button
            type="button"
            aria-label={`Export ${title} as HTML`}
            title="One HTML page that needs no server"
            onClick={() => void save(() => downloadHtml(library, policies, entry))}
          >
            HTML
          </button>
          <button
            type="button"
            aria-label={`Export ${title} as JSON`}
            title="To import here, or to run again with npm run ask -- --replay"
            onClick={() => void save(() => downloadJson(library, entry))}
          >
            JSON
          </button>
        </span>
        <button
          type="button"
          aria-label={`Delete ${title}`}
          onClick={() => void library.remove(id)}
        >
          Delete
        </button>
      </div>
      {failure && (
        <p className={styles.failure} role="alert">
          {failure}
        </p>
      )}
    </>
  );
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function dateOf(time: number): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
