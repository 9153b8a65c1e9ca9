import { type FormEvent, useRef, useState } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import type { Entry } from "@/store/library/records";
import { useApp, useChat } from "../useApp";
import { distinctTitles } from "./distinctTitles";
import { downloadHtml, downloadJson } from "./download";
import styles from "./Library.module.css";
import { DeleteEverything, KeptCachesLine } from "./LibraryFooter";

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
            {isKept ? texts.page.history.none : texts.page.history.notKept}
          </p>
        )}
        <ul>
          {distinctTitles(entries).map((entry) => (
            <LibraryItem key={entry.id} entry={entry} isCurrent={entry.id === current} />
          ))}
        </ul>
        <KeptCachesLine />
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
  if (!removed) return null;
  return (
    <p className={styles.removed} role="status">
      <span>{texts.page.history.removed(removed.title)}</span>
      <button type="button" className={styles.link} onClick={() => void library.undoRemove()}>
        {texts.page.history.undo}
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
      <span className={styles.thumbnail}>
        {entry.thumbnail && <img src={entry.thumbnail} alt="" />}
      </span>
      {isNaming ? (
        <form onSubmit={rename} className={styles.naming}>
          <input
            name="name"
            aria-label={texts.page.history.nameOf(title)}
            defaultValue={title}
            dir="auto"
            // biome-ignore lint/a11y/noAutofocus: the person has just asked to type here
            autoFocus
          />
          <button type="submit" className={styles.link}>
            {texts.page.history.save}
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

function Facts({ entry }: { readonly entry: Entry }) {
  const { updatedAt, pictures: images, questions, image } = entry;
  return (
    <p className={styles.facts}>
      {image && <span dir="auto">{image}</span>}
      <time dateTime={new Date(updatedAt).toISOString()}>{dateOf(updatedAt)}</time>
      <span>{texts.page.history.images(images)}</span>
      <span>{texts.page.history.questions(questions)}</span>
    </p>
  );
}

function Tools({ entry, onRename }: { readonly entry: Entry; readonly onRename: () => void }) {
  const { library, policies } = useApp();
  const [failure, setFailure] = useState<string>();
  const { id, title } = entry;
  const words = texts.page.history;

  async function save(download: () => Promise<void>) {
    setFailure(undefined);
    await download().catch(() => setFailure(words.exportFailed));
  }

  return (
    <>
      <div className={styles.tools}>
        <button type="button" aria-label={words.renameOf(title)} onClick={onRename}>
          {words.rename}
        </button>
        <span className={styles.exports}>
          <span>{words.export}</span>
          <button
            type="button"
            aria-label={words.htmlOf(title)}
            title={words.htmlHelp}
            onClick={() => void save(() => downloadHtml(library, policies, entry))}
          >
            HTML
          </button>
          <button
            type="button"
            aria-label={words.jsonOf(title)}
            title={words.jsonHelp}
            onClick={() => void save(() => downloadJson(library, entry))}
          >
            JSON
          </button>
        </span>
        <button
          type="button"
          aria-label={words.deleteOf(title)}
          onClick={() => void library.remove(id)}
        >
          {words.delete}
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

function dateOf(time: number): string {
  return new Date(time).toLocaleString(texts.tag, { dateStyle: "medium", timeStyle: "short" });
}
