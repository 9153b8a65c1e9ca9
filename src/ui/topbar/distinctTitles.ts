import type { Entry } from "@/store/library/records";

/** Conversations of one title, the newest first, are numbered from the oldest on. */
export function distinctTitles(entries: readonly Entry[]): readonly Entry[] {
  const older = new Map<string, number>();
  return entries
    .toReversed()
    .map((entry) => {
      const number = (older.get(entry.title) ?? 0) + 1;
      older.set(entry.title, number);
      return number === 1 ? entry : { ...entry, title: `${entry.title} (${number})` };
    })
    .toReversed();
}
