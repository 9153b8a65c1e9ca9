import { setNumberLocale } from "@/text/format";
import { en, type Texts } from "./en/en";

/** Languages of the page, by their own names. */
export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type { Texts };
export type LanguageCode = keyof typeof LANGUAGES;
export type LanguageChoice = "system" | LanguageCode;

/** English is part of the page; other languages are loaded when they are chosen. */
const LOADERS: Readonly<Record<LanguageCode, () => Promise<Texts>>> = {
  en: async () => en,
  zh: async () => (await import("./zh/zh")).zh,
};

/**
 * The page's texts in the current language. The binding changes with the language: read a text where it
 * is shown, never at the top of a module.
 */
export let texts: Texts = en;

const listeners = new Set<() => void>();
let wanted: LanguageCode = "en";

/** Changes the language. A language that cannot be loaded leaves the current one. */
export async function speak(language: LanguageCode): Promise<void> {
  wanted = language;
  const loaded = await LOADERS[language]().catch(() => undefined);
  // Only the last choice counts, in whatever order the languages arrive.
  if (!loaded || wanted !== language) return;
  texts = loaded;
  setNumberLocale(texts.tag);
  for (const listener of listeners) listener();
}

/** Calls back after the language has changed; returns the function that unsubscribes. */
export function onLanguageChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param preferred the browser's languages, most wanted first */
export function languageOf(choice: LanguageChoice, preferred: readonly string[]): LanguageCode {
  if (choice !== "system") return choice;
  const codes = preferred.map((tag) => tag.toLowerCase().split(/[-_]/)[0] ?? "");
  return codes.find((code): code is LanguageCode => code in LANGUAGES) ?? "en";
}
