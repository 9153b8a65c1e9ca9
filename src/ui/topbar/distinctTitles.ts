import type { Entry } from "@/store/library/records";

/** An entry whose title differs from all others. */
export interface DistinctEntry extends Entry {
  /** The title without a number. */
  readonly storedTitle: string;
}

/** Conversations of one title, the newest first, are numbered from the oldest on. */
export function distinctTitles(entries: readonly Entry[]): readonly DistinctEntry[] {
  const older = new Map<string, number>();
  return entries
    .toReversed()
    .map((entry) => {
      const { title: storedTitle } = entry;
      const number = (older.get(storedTitle) ?? 0) + 1;
      older.set(storedTitle, number);
      const title = number === 1 ? storedTitle : `${storedTitle} (${number})`;
      return { ...entry, title, storedTitle };
    })
    .toReversed();
}
