import { lazy, Suspense, useEffect } from "react";
import type { App as AppModel } from "@/store/app/app";
import styles from "./App.module.css";
import { Cache } from "./cache/Cache";
import { Chat } from "./chat/Chat";
import { DropZone } from "./DropZone";
import { ErrorBoundary } from "./ErrorBoundary";
import { LayerKeys } from "./LayerKeys";
import { useRoute } from "./route";
import { TopBar } from "./topbar/TopBar";
import { AppContext, useSettings, useTexts } from "./useApp";
import { Viewer } from "./viewer/Viewer";

const About = lazy(() => import("./about/About"));

/** A change of the language renders everything below again. */
export function App({ app }: { readonly app: AppModel }) {
  const { tag } = useTexts();
  useEffect(() => {
    document.documentElement.lang = tag;
  }, [tag]);
  return (
    <AppContext value={app}>
      <Theme />
      <ErrorBoundary onError={() => app.library.drawingFailed()}>
        <Page />
      </ErrorBoundary>
    </AppContext>
  );
}

function Page() {
  const route = useRoute();
  return (
    <>
      <div className={styles.app}>
        <TopBar />
        {/* The chat stays mounted behind other pages: an answer goes on while somebody reads. */}
        <main className={styles.zones} hidden={route !== "chat"}>
          <Viewer />
          <Chat />
          <Cache />
        </main>
        {route === "about" && (
          <Suspense>
            <About />
          </Suspense>
        )}
      </div>
      <DropZone />
      <LayerKeys />
    </>
  );
}

/** The picked theme on the root element; without one the system's is in force. */
function Theme() {
  const theme = useSettings((state) => state.theme);
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  return null;
}
