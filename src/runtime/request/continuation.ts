import type { CacheSettings } from "@/protocol/engine";

/** What a cache stands for: the tokens that it has seen, whether their rows are still there or not. */
export interface Seen {
  /** Ids, in order; dropped rows included. */
  readonly ids: readonly number[];
  /** Content hash of the image behind each tile, in prompt order. */
  readonly tiles: readonly string[];
  /** `settingsKey` of the settings that it was compressed with. */
  readonly settings: string;
}

/**
 * How many tokens of a prompt a held cache covers: the rest is appended to it. 0: prefill anew, for
 * the settings differ, or something was changed in what has been seen.
 */
export function coveredTokens(held: Seen | undefined, prompt: Seen): number {
  if (!held || held.settings !== prompt.settings) return 0;
  const isPrefix =
    held.ids.length < prompt.ids.length &&
    held.ids.every((id, i) => id === prompt.ids[i]) &&
    held.tiles.every((tile, i) => tile === prompt.tiles[i]);
  return isPrefix ? held.ids.length : 0;
}

/** Equal for settings under which one cache serves both. */
export function settingsKey({ policy, retention, scope, options, capMb }: CacheSettings): string {
  const sorted = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([policy, retention, scope, sorted, capMb ?? null]);
}
