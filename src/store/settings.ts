import { createStore, type StoreApi } from "zustand/vanilla";
import type { CacheSettings } from "@/protocol/engine";
import { completeOptions, type OptionValues, type PolicyInfo } from "./policyInfo";

/** The policy that keeps everything: the reference of every comparison. */
export const FULL = "full";

export type Scope = CacheSettings["scope"];
export type Theme = "system" | "light" | "dark";
/** What lies over the picture: what was dropped, what the policy ranked by, or nothing. */
export type VeilMode = "kept" | "heat" | "off";
/** A layer, counted from 0, or how many layers kept a patch. */
export type LayerChoice = number | "all";

export interface SettingsState {
  readonly policy: string;
  /** Percent of the candidates to keep, 1 to 100. */
  readonly keepPercent: number;
  readonly scope: Scope;
  /** Chosen options by policy; what is absent has its default. */
  readonly options: Readonly<Record<string, OptionValues>>;
  readonly layer: LayerChoice;
  readonly veil: VeilMode;
  readonly theme: Theme;
}

export type SettingsStore = StoreApi<SettingsState>;

export const DEFAULT_SETTINGS: SettingsState = {
  // What the embedded model still answers rightly with, at half the cache.
  policy: "prefixkv",
  keepPercent: 50,
  scope: "visual",
  options: {},
  layer: 0,
  veil: "kept",
  theme: "system",
};

export function createSettingsStore(initial: Partial<SettingsState> = {}): SettingsStore {
  return createStore<SettingsState>(() => ({ ...DEFAULT_SETTINGS, ...initial }));
}

/** What travels with the next question. A policy that keeps everything has retention 1. */
export function cacheSettings(
  state: Pick<SettingsState, "policy" | "keepPercent" | "scope" | "options">,
  policies: readonly PolicyInfo[],
): CacheSettings {
  const policy = policies.find(({ id }) => id === state.policy) ?? policies[0];
  if (!policy) throw new RangeError("No policies are registered");
  return {
    policy: policy.id,
    retention: policy.id === FULL ? 1 : state.keepPercent / 100,
    scope: state.scope,
    options: completeOptions(policy, state.options[policy.id]),
  };
}

export function sameSettings(a: CacheSettings, b: CacheSettings): boolean {
  if (a.policy !== b.policy) return false;
  if (a.policy === FULL) return true;
  return (
    a.retention === b.retention &&
    a.scope === b.scope &&
    a.capMb === b.capMb &&
    Object.keys({ ...a.options, ...b.options }).every((key) => a.options[key] === b.options[key])
  );
}

/** A number of percent that the keep control can hold. */
export function clampPercent(percent: number): number {
  return Number.isFinite(percent) ? Math.min(100, Math.max(1, Math.round(percent))) : 100;
}

/** The next layer in the direction of `step`, staying between all layers together and the last. */
export function stepLayer(layer: LayerChoice, step: 1 | -1, layers: number): LayerChoice {
  const place = (layer === "all" ? -1 : layer) + step;
  if (place < 0) return "all";
  return Math.min(place, layers - 1);
}
