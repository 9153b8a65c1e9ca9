import { useSyncExternalStore } from "react";
import { texts } from "@/language/language";
import { ChartTabs } from "../charts/ChartTabs";
import { Meter } from "../charts/Memory";
import styles from "./Cache.module.css";
import { CACHE_SHEET } from "./cacheSheet";
import { SettingsBlock } from "./SettingsBlock";

const NARROW = matchMedia("(max-width: 720px), (max-height: 560px)");

/** Settings and charts of the cache: a column beside the chat, a sheet over it on small screens. */
export function Cache() {
  const isNarrow = useSyncExternalStore(
    (listener) => {
      NARROW.addEventListener("change", listener);
      return () => NARROW.removeEventListener("change", listener);
    },
    () => NARROW.matches,
  );
  if (!isNarrow) {
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region is reached by keyboard
      <aside className={styles.pane} aria-label={texts.cache.name} tabIndex={0}>
        <Blocks />
      </aside>
    );
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      id={CACHE_SHEET}
      className={styles.sheet}
      aria-label={texts.cache.name}
      onClick={({ target, currentTarget }) => target === currentTarget && currentTarget.close()}
    >
      <div className={styles.inside}>
        <form method="dialog" className={styles.close}>
          <button type="submit">{texts.cache.done}</button>
        </form>
        <Blocks />
      </div>
    </dialog>
  );
}

function Blocks() {
  return (
    <>
      <SettingsBlock />
      <Meter />
      <ChartTabs />
    </>
  );
}
