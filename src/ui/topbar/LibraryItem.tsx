import { type FormEvent, type KeyboardEvent, useRef, useState } from "react";
import { texts } from "@/language/language";
import type { Entry } from "@/store/library/records";
import { useApp } from "../useApp";
import type { DistinctEntry } from "./distinctTitles";
import { downloadHtml, downloadJson } from "./download";
import styles from "./Library.module.css";

interface ItemProps {
  readonly entry: DistinctEntry;
  readonly isCurrent: boolean;
  readonly onOpened: () => void;
}

/** A stored conversation: open, rename, export, delete. */
export function LibraryItem({ entry, isCurrent, onOpened }: ItemProps) {
  const { library } = useApp();
  const [isNaming, setNaming] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const { id, title } = entry;

  function rename(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    leave();
    void library.rename(id, name);
  }

  function leave() {
    setNaming(false);
    // After the button is rendered again.
    requestAnimationFrame(() => button.current?.focus());
  }

  function press(event: KeyboardEvent) {
    if (event.key !== "Escape") return;
    // Not also the panel.
    event.preventDefault();
    leave();
  }

  async function open() {
    await library.open(id);
    location.hash = "#chat";
    onOpened();
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
            defaultValue={entry.storedTitle}
            dir="auto"
            onKeyDown={press}
            // biome-ignore lint/a11y/noAutofocus: the person has just asked to type here
            autoFocus
          />
          <button type="submit" className={styles.link}>
            {texts.page.history.save}
          </button>
        </form>
      ) : (
        <button
          ref={button}
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
