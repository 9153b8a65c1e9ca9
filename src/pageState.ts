import type { App } from "@/store/app/app";
import { readAddress, writeAddress } from "@/store/settings/address";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import type { SettingsState, Theme } from "@/store/settings/settings";

const THEME = "keepsight.theme";

/** If storage is forbidden, even accessing it throws. */
function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** Detects a conversation that hangs the page; see `store/library/undrawn.ts`. */
export const drawing = {
  storage: storage(),
  /** Two frames later the rendered page is painted. Leaving the page earlier is no sign of a hang. */
  afterDrawing(call: () => void): void {
    const end = () => {
      removeEventListener("pagehide", end);
      call();
    };
    addEventListener("pagehide", end);
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(end)));
  },
};

/** Initial settings from the address and the last visit. */
export function initialState(policies: readonly PolicyInfo[]): {
  readonly settings: Partial<SettingsState>;
  readonly sampleId?: string;
} {
  const { sample, ...settings } = readAddress(location.search, policies);
  const theme = storage()?.getItem(THEME);
  const picked: Partial<SettingsState> =
    theme === "light" || theme === "dark" ? { theme: theme as Theme } : {};
  return { settings: { ...settings, ...picked }, ...(sample ? { sampleId: sample } : {}) };
}

/** Writes settings and sample to the address, and the theme for the next visit. */
export function keepState({ settings, chat, policies }: App): void {
  let timer = 0;
  const write = () => {
    const image = chat.store.getState().conversation.images.at(-1);
    const sample = image?.sampleId;
    const state = { ...settings.getState(), ...(sample ? { sample } : {}) };
    const query = writeAddress(location.search, state, policies);
    if (query !== location.search) {
      history.replaceState(history.state, "", `${location.pathname}${query}${location.hash}`);
    }
  };
  // A slider writes many values, and browsers limit the rate of address changes.
  const schedule = () => {
    clearTimeout(timer);
    timer = window.setTimeout(write, 200);
  };
  colorBrowser(settings.getState().theme);
  settings.subscribe(({ theme }, before) => {
    if (theme !== before.theme) {
      colorBrowser(theme);
      if (theme === "system") storage()?.removeItem(THEME);
      else storage()?.setItem(THEME, theme);
    }
    schedule();
  });
  chat.store.subscribe(({ conversation }, before) => {
    if (conversation.images !== before.conversation.images) schedule();
  });
}

/** Sets the browser bar's colour for the chosen theme: one of two `meta` elements. */
function colorBrowser(theme: Theme): void {
  for (const scheme of ["light", "dark"] as const) {
    const picked = theme === scheme ? "all" : "not all";
    const media = theme === "system" ? `(prefers-color-scheme: ${scheme})` : picked;
    document.getElementById(`theme-color-${scheme}`)?.setAttribute("media", media);
  }
}
