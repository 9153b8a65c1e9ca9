import { Component, type ReactNode } from "react";
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
          <h1>This page could not be drawn.</h1>
        </div>
        <p>
          Your conversations are kept in this browser. After loading the page again, the one that
          was open stays closed; it is under History.
        </p>
        <button type="button" onClick={() => location.reload()}>
          Load the page again
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
