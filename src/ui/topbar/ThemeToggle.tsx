import type { Theme } from "@/store/settings/settings";
import { useApp, useSettings } from "../useApp";
import styles from "./TopBar.module.css";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const WORDS: Readonly<Record<Theme, string>> = { system: "System", light: "Light", dark: "Dark" };

/** Cycles through the three themes; the label is the current one. */
export function ThemeToggle() {
  const { settings } = useApp();
  const theme = useSettings((state) => state.theme);
  return (
    <button
      type="button"
      className={styles.theme}
      aria-label={`Theme: ${WORDS[theme]}. Change to ${WORDS[NEXT[theme]]}`}
      onClick={() => settings.choose({ theme: NEXT[theme] })}
    >
      <span className={styles.muted}>Theme</span> {WORDS[theme]}
    </button>
  );
}
