import { useRoute } from "../route";
import { AdapterChip } from "./AdapterChip";
import { LibraryMenu } from "./LibraryMenu";
import { Mark } from "./Mark";
import { ModelChip } from "./ModelChip";
import { ThemeToggle } from "./ThemeToggle";
import styles from "./TopBar.module.css";

const PAGES = [
  { route: "chat", href: "#chat", label: "Chat" },
  { route: "about", href: "#about", label: "About" },
] as const;

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
      <nav className={styles.nav} aria-label="Pages">
        {PAGES.map(({ route, href, label }) => (
          <a key={route} href={href} aria-current={route === current ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <ThemeToggle />
    </header>
  );
}
