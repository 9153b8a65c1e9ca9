/**
 * Without a locale some systems give browsers a language that is no tag of BCP 47 (`en-US@posix`). uPlot
 * passes it to `Intl` when it is loaded, which throws: this module is imported before it.
 */
export function repairLanguage(navigator: { readonly language: string }): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
  }
}

if (typeof navigator !== "undefined") repairLanguage(navigator);
