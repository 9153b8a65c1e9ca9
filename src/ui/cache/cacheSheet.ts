/** The dialog that holds the Cache zone on small screens. */
export const CACHE_SHEET = "cache-sheet";

export function openCacheSheet(): void {
  const sheet = document.getElementById(CACHE_SHEET);
  if (sheet instanceof HTMLDialogElement) sheet.showModal();
}
