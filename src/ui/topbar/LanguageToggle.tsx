import { LANGUAGES, type LanguageCode, texts } from "@/language/language";
import { useApp } from "../useApp";
import styles from "./TopBar.module.css";

/** Changes to the other language, which names itself. */
export function LanguageToggle() {
  const { settings } = useApp();
  const other: LanguageCode = texts.tag === "en" ? "zh" : "en";
  return (
    <button
      type="button"
      className={styles.theme}
      lang={other}
      onClick={() => settings.choose({ language: other })}
    >
      {LANGUAGES[other]}
    </button>
  );
}
