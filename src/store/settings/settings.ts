import { createStore } from "zustand/vanilla";
import type { NumberLimits, OptionValues } from "@/compression/options";
import type { LanguageChoice } from "@/language/language";
import { DEFAULT_SAMPLING, DEFAULT_SETTINGS } from "@/protocol/defaults";
import type { LoadRequest } from "@/protocol/model";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { ReadonlyStore } from "../readonlyStore";
import { completeOptions, type PolicyInfo } from "./policyInfo";

/** The policy that keeps every row; the reference of every comparison. */
export const FULL = "full";

export type Scope = CacheSettings["scope"];
export type Theme = "system" | "light" | "dark";
/** The overlay on the image: dropped rows, the policy's scores, or none. */
export type OverlayMode = "kept" | "heat" | "off";
/** A layer, counted from 0, or the number of layers that kept a patch. */
export type LayerChoice = number | "all";

/** How the decoder's weights are held: as the file has them, or in 8 or 4 bits. */
export const WEIGHT_CHOICES = ["file", "q8", "q4"] as const;
export type WeightChoice = (typeof WEIGHT_CHOICES)[number];

/** How the KV cache is held: in 16 bits, or 32 for weights of 32 bits; or in 8 or 4 bits. */
export const CACHE_CHOICES = ["auto", "q8", "q4"] as const;
type CacheChoice = (typeof CACHE_CHOICES)[number];

/** The next smaller choice; undefined behind the smallest. */
export function smallerWeights(choice: WeightChoice): WeightChoice | undefined {
  return WEIGHT_CHOICES[WEIGHT_CHOICES.indexOf(choice) + 1];
}

export interface SettingsState {
  readonly policy: string;
  /** Percent of the candidates to keep, 1 to 100. */
  readonly keepPercent: number;
  readonly scope: Scope;
  /** Chosen options by policy; absent options have their defaults. */
  readonly options: Readonly<Record<string, OptionValues>>;
  /** Ceiling of the KV pool in megabytes (10^6 bytes); undefined: none. */
  readonly capMb: number | undefined;
  /** Percent of the image rows of earlier turns that the next question leaves; undefined: all that are left. */
  readonly earlierPercent: number | undefined;
  /** Sampling parameters and the number of tokens. */
  readonly sampling: Sampling;
  /** Whether every compressed answer is compared with the full cache's. */
  readonly comparesWithFull: boolean;
  readonly layer: LayerChoice;
  readonly overlay: OverlayMode;
  readonly weights: WeightChoice;
  readonly cacheType: CacheChoice;
  readonly theme: Theme;
  readonly language: LanguageChoice;
}

export interface SettingsStore extends ReadonlyStore<SettingsState> {
  choose(change: Partial<SettingsState>): void;
  /** Options of one policy; those of the others stay. */
  chooseOptions(policyId: string, values: OptionValues): void;
  /** The next layer in the direction of `step`, of as many as the model has. */
  stepLayer(step: 1 | -1, layers: number): void;
}

/** Ranges of the numbers; the seed and the token count are integers. */
export const SAMPLING_LIMITS = {
  maxNewTokens: { min: 1, max: 4096, integer: true },
  temperature: { min: 0, max: 5, integer: false },
  topP: { min: 0.01, max: 1, integer: false },
  seed: { min: 0, max: 2 ** 32 - 1, integer: true },
} as const satisfies Partial<Record<keyof Sampling, NumberLimits>>;

/** Range of the share of earlier images, in percent. */
export const EARLIER_LIMITS: NumberLimits = { min: 1, max: 100, integer: true };

/** Plausible range of a cap in megabytes. */
export const CAP_LIMITS: NumberLimits = { min: 0.01, max: 100_000, integer: false };

export const INITIAL_SETTINGS: SettingsState = {
  policy: DEFAULT_SETTINGS.policy,
  keepPercent: 100 * DEFAULT_SETTINGS.retention,
  scope: DEFAULT_SETTINGS.scope,
  options: {},
  capMb: undefined,
  earlierPercent: undefined,
  sampling: DEFAULT_SAMPLING,
  comparesWithFull: true,
  layer: "all",
  overlay: "kept",
  weights: "file",
  cacheType: "auto",
  theme: "system",
  language: "system",
};

export function createSettingsStore(initial: Partial<SettingsState> = {}): SettingsStore {
  const { setState, ...store } = createStore<SettingsState>(() => ({
    ...INITIAL_SETTINGS,
    ...initial,
  }));
  return {
    ...store,
    choose: (change) => setState(change),
    chooseOptions: (policyId, values) =>
      setState(({ options }) => ({ options: { ...options, [policyId]: values } })),
    stepLayer: (step, layers) =>
      setState(({ layer }) => ({ layer: stepLayer(layer, step, layers) })),
  };
}

export type LoadTypes = Pick<LoadRequest, "weightType" | "kvType">;

/** What a load asks for. */
export function loadTypes({
  weights,
  cacheType,
}: Pick<SettingsState, "weights" | "cacheType">): LoadTypes {
  return {
    ...(weights === "file" ? {} : { weightType: weights }),
    ...(cacheType === "auto" ? {} : { kvType: cacheType }),
  };
}

/** The settings of the next question. A policy that keeps every row has retention 1. */
export function cacheSettings(
  state: Pick<SettingsState, "policy" | "keepPercent" | "scope" | "options" | "capMb">,
  policies: readonly PolicyInfo[],
): CacheSettings {
  const policy = policies.find(({ id }) => id === state.policy) ?? policies[0];
  if (!policy) throw new RangeError("No policies are registered");
  return {
    policy: policy.id,
    retention: policy.id === FULL ? 1 : state.keepPercent / 100,
    scope: state.scope,
    options: completeOptions(policy, state.options[policy.id]),
    ...(state.capMb === undefined ? {} : { capMb: state.capMb }),
  };
}

/** The same for the next question, which may keep less of earlier images. */
export function questionSettings(
  state: Parameters<typeof cacheSettings>[0] & Pick<SettingsState, "earlierPercent">,
  policies: readonly PolicyInfo[],
): CacheSettings {
  const { earlierPercent } = state;
  const earlier = earlierPercent === undefined ? {} : { earlierRetention: earlierPercent / 100 };
  return { ...cacheSettings(state, policies), ...earlier };
}

export function sameSettings(a: CacheSettings, b: CacheSettings): boolean {
  // A cap also applies to the full cache.
  if (a.policy !== b.policy || a.capMb !== b.capMb) return false;
  if (a.earlierRetention !== b.earlierRetention) return false;
  if (a.policy === FULL) return true;
  return (
    a.retention === b.retention &&
    a.scope === b.scope &&
    Object.keys({ ...a.options, ...b.options }).every((key) => a.options[key] === b.options[key])
  );
}

/** Rounds and clamps a percentage to the range of the keep control. */
export function clampPercent(percent: number): number {
  return Number.isFinite(percent) ? Math.min(100, Math.max(1, Math.round(percent))) : 100;
}

/** The next layer in the direction of `step`, staying between all layers together and the last. */
export function stepLayer(layer: LayerChoice, step: 1 | -1, layers: number): LayerChoice {
  const place = (layer === "all" ? -1 : layer) + step;
  if (place < 0) return "all";
  return Math.min(place, layers - 1);
}
