import { useState } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import { STORED_CACHES_LIMIT } from "@/store/chat/storedCaches";
import { formatMegabytes } from "@/text/format";
import { useApp } from "../useApp";
import styles from "./Library.module.css";

/** Asks once more before it deletes all that the page has stored. */
export function DeleteEverything() {
  const [isAsking, setAsking] = useState(false);
  const [left, setLeft] = useState<readonly string[]>([]);
  const words = texts.page.history;

  async function now() {
    const { deleteEverything, ownStorages } = await import("@/store/app/deleteEverything");
    const rest = await deleteEverything(ownStorages());
    if (rest.length > 0) return setLeft(rest);
    location.assign(location.pathname);
    return undefined;
  }

  if (!isAsking) {
    return (
      <button type="button" className={styles.link} onClick={() => setAsking(true)}>
        {words.deleteAll}
      </button>
    );
  }
  return (
    <div className={styles.removed}>
      <p>{words.deleteAllWhat}</p>
      {left.length > 0 && <p role="alert">{words.deleteAllLeft(texts.page.list(left))}</p>}
      <button type="button" className={styles.link} onClick={() => void now()}>
        {words.deleteAllNow}
      </button>
      <button type="button" className={styles.link} onClick={() => setAsking(false)}>
        {words.keepAll}
      </button>
    </div>
  );
}

/** The stored caches of all conversations, which may be deleted alone. */
export function StoredCachesLine() {
  const { caches } = useApp();
  const { count, bytes } = useStore(caches.store);
  if (count === 0) return null;
  const [used, limit] = [formatMegabytes(bytes), formatMegabytes(STORED_CACHES_LIMIT, 0)];
  return (
    <p className={styles.facts}>
      <span>{texts.page.history.storedCaches(count, used, limit)}</span>
      <button type="button" className={styles.link} onClick={() => void caches.removeAll()}>
        {texts.page.history.forgetCaches}
      </button>
    </p>
  );
}
