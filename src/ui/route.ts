import { useSyncExternalStore } from "react";

type Route = "chat" | "about";

/** The route in the URL fragment, so that any static host serves every page. */
export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => (location.hash === "#about" ? "about" : "chat"));
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
