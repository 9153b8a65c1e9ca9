import { texts } from "@/language/language";
import { useRoute } from "../route";
import { AdapterChip } from "./AdapterChip";
import { LanguageToggle } from "./LanguageToggle";
import { LibraryMenu } from "./LibraryMenu";
import { Mark } from "./Mark";
import { ModelChip } from "./ModelChip";
import { ThemeToggle } from "./ThemeToggle";
import styles from "./TopBar.module.css";

const PAGES = ["chat", "about"] as const;

export function TopBar() {
  const current = useRoute();
  return (
    <header className={styles.bar}>
      <div className={styles.mark}>
        <Mark />
        <h1 className={styles.name}>Keepsight</h1>
      </div>
      <ModelChip />
      <AdapterChip />
      <LibraryMenu />
      <nav className={styles.nav} aria-label={texts.page.pages}>
        {PAGES.map((route) => (
          <a key={route} href={`#${route}`} aria-current={route === current ? "page" : undefined}>
            {texts.page[route]}
          </a>
        ))}
      </nav>
      <LanguageToggle />
      <ThemeToggle />
    </header>
  );
}
