import { type FormEvent, useState } from "react";
import { useStore } from "zustand/react";
import type { Entry } from "@/store/records";
import { useApp, useChat } from "../useApp";
import styles from "./History.module.css";

const PANEL = "history-panel";

/** Conversations kept in this browser: open, rename, export, delete. */
export function HistoryMenu() {
  const { history } = useApp();
  const { entries, isKept } = useStore(history.archive.store);
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
          <button
            type="button"
            className={styles.link}
            disabled={!hasQuestions}
            onClick={() => {
              history.begin();
              hide();
            }}
          >
            New
          </button>
        </div>
        {entries.length === 0 && (
          <p className={styles.none}>
            {isKept
              ? "Conversations are kept in this browser from their first question on."
              : "This browser keeps nothing here: conversations end with the page."}
          </p>
        )}
        <ul>
          {entries.map((entry) => (
            <HistoryItem key={entry.id} entry={entry} isCurrent={entry.id === current} />
          ))}
        </ul>
      </div>
    </>
  );
}

function hide() {
  document.getElementById(PANEL)?.hidePopover();
}

function HistoryItem({ entry, isCurrent }: { readonly entry: Entry; readonly isCurrent: boolean }) {
  const { history } = useApp();
  const [isNaming, setNaming] = useState(false);
  const { id, title, updatedAt } = entry;

  function rename(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    setNaming(false);
    void history.rename(id, name);
  }

  async function open() {
    await history.open(id);
    location.hash = "#chat";
    hide();
  }

  return (
    <li className={styles.item} data-current={isCurrent}>
      {isNaming ? (
        <form onSubmit={rename} className={styles.naming}>
          {/* biome-ignore lint/a11y/noAutofocus: the person has just asked to type here */}
          <input name="name" aria-label={`Name of ${title}`} defaultValue={title} autoFocus />
          <button type="submit" className={styles.link}>
            Save
          </button>
        </form>
      ) : (
        <button
          type="button"
          className={styles.title}
          aria-current={isCurrent}
          onClick={() => void open()}
        >
          {title}
        </button>
      )}
      <div className={styles.tools}>
        <time dateTime={new Date(updatedAt).toISOString()}>{dateOf(updatedAt)}</time>
        <button type="button" aria-label={`Rename ${title}`} onClick={() => setNaming(!isNaming)}>
          Rename
        </button>
        <button
          type="button"
          aria-label={`Export ${title} as JSON`}
          onClick={() => void history.exported(id).then((json) => json && download(json, title))}
        >
          Export
        </button>
        <button
          type="button"
          aria-label={`Delete ${title}`}
          onClick={() => void history.remove(id)}
        >
          Delete
        </button>
      </div>
    </li>
  );
}

function dateOf(time: number): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function download(json: string, title: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  link.download = `${name.slice(0, 60) || "conversation"}.json`;
  link.click();
  // The download has its own reference by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
