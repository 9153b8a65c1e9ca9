import { texts } from "@/language/language";
import type { Theme } from "@/store/settings/settings";
import { useApp, useSettings } from "../useApp";
import styles from "./TopBar.module.css";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };

/** Cycles through the three themes; the label is the current one. */
export function ThemeToggle() {
  const { settings } = useApp();
  const theme = useSettings((state) => state.theme);
  const words = texts.page.theme;
  return (
    <button
      type="button"
      className={styles.theme}
      aria-label={words.change(words[theme], words[NEXT[theme]])}
      onClick={() => settings.choose({ theme: NEXT[theme] })}
    >
      <span className={styles.muted}>{words.name}</span> {words[theme]}
    </button>
  );
}
