import { LANGUAGES, type LanguageChoice, languageOf, speak } from "@/language/language";
import type { App } from "@/store/app/app";
import {
  readAddress,
  readQuestion,
  type SharedQuestion,
  writeAddress,
} from "@/store/settings/address";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import {
  type SettingsState,
  type Theme,
  WEIGHT_CHOICES,
  type WeightChoice,
} from "@/store/settings/settings";

const THEME = "keepsight.theme";
const LANGUAGE = "keepsight.language";
const WEIGHTS = "keepsight.weights";

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
  readonly shared?: SharedQuestion;
} {
  const { sample, ...settings } = readAddress(location.search, policies);
  const theme = storage()?.getItem(THEME);
  const language = storage()?.getItem(LANGUAGE);
  const weights = WEIGHT_CHOICES.find((choice) => choice === storage()?.getItem(WEIGHTS));
  const picked: Partial<SettingsState> = {
    ...(theme === "light" || theme === "dark" ? { theme } : {}),
    ...(weights ? { weights } : {}),
    ...(language && language in LANGUAGES ? { language: language as LanguageChoice } : {}),
  };
  const shared = readQuestion(location.search, policies);
  return {
    settings: { ...settings, ...picked },
    ...(sample ? { sampleId: sample } : {}),
    ...(shared ? { shared } : {}),
  };
}

/** Loads the texts of a choice; without one, of the browser's languages. */
export function speakChosen(choice: LanguageChoice = "system"): Promise<void> {
  return speak(languageOf(choice, navigator.languages));
}

/** Writes settings and sample to the address; theme, language and weights for the next visit. */
export function keepState({ settings, chat, models, policies }: App): void {
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
  settings.subscribe(({ theme, language, weights }, before) => {
    if (weights !== before.weights) remember(WEIGHTS, weights);
    if (theme !== before.theme) {
      colorBrowser(theme);
      remember(THEME, theme);
    }
    if (language !== before.language) {
      void speakChosen(language);
      remember(LANGUAGE, language);
    }
    schedule();
  });
  models.store.subscribe(({ inUse, stored }, before) => {
    if (inUse !== before.inUse) writeModel(stored.find(({ key }) => key === inUse)?.id);
  });
  chat.store.subscribe(({ conversation }, before) => {
    // At once: after a reload the address decides whether this conversation is the one to restore.
    if (conversation.images !== before.conversation.images) write();
  });
}

/** Names the model of the Hub in the address. A folder's files are gone with the page. */
function writeModel(id: string | undefined): void {
  const query = new URLSearchParams(location.search);
  if (id === undefined) query.delete("model");
  else query.set("model", id);
  history.replaceState(history.state, "", `${location.pathname}?${query}${location.hash}`);
}

/** What follows the system or the file is not stored. */
function remember(key: string, choice: Theme | LanguageChoice | WeightChoice): void {
  if (choice === "system" || choice === "file") storage()?.removeItem(key);
  else storage()?.setItem(key, choice);
}

/** Sets the browser bar's colour for the chosen theme: one of two `meta` elements. */
function colorBrowser(theme: Theme): void {
  for (const scheme of ["light", "dark"] as const) {
    const picked = theme === scheme ? "all" : "not all";
    const media = theme === "system" ? `(prefers-color-scheme: ${scheme})` : picked;
    document.getElementById(`theme-color-${scheme}`)?.setAttribute("media", media);
  }
}
