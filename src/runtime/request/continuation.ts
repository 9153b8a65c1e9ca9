import type { CacheSettings } from "@/protocol/request";

/** The tokens that a cache has seen, including those whose rows were dropped. */
export interface Seen {
  /** Ids, in order; dropped rows included. */
  readonly ids: readonly number[];
  /** Content hash of each tile's image, in prompt order. */
  readonly tiles: readonly string[];
  /** `settingsKey` of the settings of its compression. */
  readonly settings: string;
}

/**
 * Number of tokens of a prompt that the cache covers; the rest is appended. 0 means a new prefill:
 * the settings differ, or the cache's tokens are not a prefix of the prompt.
 */
export function coveredTokens(held: Seen | undefined, prompt: Seen): number {
  if (!held || held.settings !== prompt.settings) return 0;
  const isPrefix =
    held.ids.length < prompt.ids.length &&
    held.ids.every((id, i) => id === prompt.ids[i]) &&
    held.tiles.every((tile, i) => tile === prompt.tiles[i]);
  return isPrefix ? held.ids.length : 0;
}

/**
 * Tokens at the beginning of a prompt that a cache has seen, too, with the same images and settings; at least one token
 * of the prompt is left.
 * @param starts of the prompt's tiles
 */
export function commonTokens(held: Seen, prompt: Seen, starts: readonly number[]): number {
  if (held.settings !== prompt.settings) return 0;
  const other = prompt.ids.findIndex((id, i) => id !== held.ids[i]);
  const otherTile = prompt.tiles.findIndex((tile, i) => tile !== held.tiles[i]);
  const same = other < 0 ? prompt.ids.length : other;
  return Math.min(same, prompt.ids.length - 1, starts[otherTile] ?? same);
}

/** Equal for settings that can share a cache. */
export function settingsKey({ policy, retention, scope, options, capMb }: CacheSettings): string {
  const sorted = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([policy, retention, scope, sorted, capMb ?? null]);
}
