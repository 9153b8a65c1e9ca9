import { Component, type ReactNode } from "react";
import { texts } from "@/language/language";
import styles from "./App.module.css";

interface Props {
  /** Called with what was thrown while the page was drawn. */
  readonly onError: (error: unknown) => void;
  readonly children: ReactNode;
}

/** Replaces a page that failed to render with a sentence and a button. */
export class ErrorBoundary extends Component<Props, { readonly error: unknown }> {
  override state = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error: error ?? "unknown" };
  }

  override componentDidCatch(error: unknown) {
    this.props.onError(error);
  }

  override render() {
    const { error } = this.state as { readonly error: unknown };
    if (error === undefined) return this.props.children;
    return (
      <main className={styles.broken}>
        <div role="alert">
          <h1>{texts.page.broken.title}</h1>
        </div>
        <p>{texts.page.broken.stored}</p>
        <button type="button" onClick={() => location.reload()}>
          {texts.page.broken.reload}
        </button>
        <p className={styles.reason}>{reasonOf(error)}</p>
      </main>
    );
  }
}

/** The first line of what was thrown, for a report. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.split("\n")[0]!.slice(0, 200);
}
