import { createStore } from "zustand/vanilla";
import type { OptionValues } from "@/compression/options";
import type { CacheSettings } from "@/protocol/request";
import type { ReadonlyStore } from "../readonlyStore";
import type { PolicyInfo } from "../settings/policyInfo";
import {
  cacheSettings,
  clampPercent,
  FULL,
  questionSettings,
  type SettingsState,
  type SettingsStore,
} from "../settings/settings";

/** Lanes that a person may choose. */
export const FEWEST_CHOICES = 2;
export const MOST_CHOICES = 4;

/** One lane of the next comparison. Scope, cap and the share of earlier images are those of the settings. */
export interface LaneChoice {
  /** Identifies the lane while editing. */
  readonly id: string;
  readonly policy: string;
  /** Percent of the candidates to keep, 1 to 100; ignored by the full cache. */
  readonly keepPercent: number;
  /** The lane's own policy options; undefined: those of the settings. */
  readonly options: OptionValues | undefined;
  /** Whether the lane is kept for later questions. */
  readonly isPinned: boolean;
}

interface ComparisonState {
  /** Whether the next question is asked in lanes. */
  readonly isOn: boolean;
  readonly lanes: readonly LaneChoice[];
}

export interface ComparisonSetup {
  readonly store: ReadonlyStore<ComparisonState>;
  /** Turns comparing on, with lanes around the current settings, or off. */
  toggle(): void;
  add(): void;
  remove(id: string): void;
  /** A new policy starts with its options in the settings. */
  change(id: string, change: Partial<Omit<LaneChoice, "id">>): void;
  /** Settings of the lanes; lanes around the current settings if none are chosen. */
  settings(): readonly CacheSettings[];
  /**
   * Called after sending a question: pinned lanes are kept, the others are reset. Comparing ends if
   * no lane is pinned.
   * @returns puts the lanes back, if the question was not sent after all
   */
  asked(): () => void;
}

export function createComparisonSetup(
  settings: SettingsStore,
  policies: readonly PolicyInfo[],
  newId: () => string,
): ComparisonSetup {
  const store = createStore<ComparisonState>(() => ({ isOn: false, lanes: [] }));
  const edit = (change: (lanes: readonly LaneChoice[]) => readonly LaneChoice[]) =>
    store.setState(({ lanes }) => ({ lanes: change(lanes) }));
  const withId = (lane: Pick<LaneChoice, "policy" | "keepPercent">): LaneChoice => ({
    ...lane,
    id: newId(),
    options: undefined,
    isPinned: false,
  });
  const usual = () => usualLanes(settings.getState(), policies).map(withId);

  return {
    store,
    toggle: () =>
      store.setState(({ isOn }) =>
        isOn ? { isOn: false, lanes: [] } : { isOn: true, lanes: usual() },
      ),
    add() {
      const { keepPercent } = settings.getState();
      edit((lanes) => {
        const taken = new Set(lanes.map(({ policy }) => policy));
        const policy = policies.find(({ id }) => id !== FULL && !taken.has(id))?.id ?? FULL;
        if (lanes.length >= MOST_CHOICES) return lanes;
        return [...lanes, withId({ policy, keepPercent })];
      });
    },
    remove: (id) =>
      edit((lanes) =>
        lanes.length <= FEWEST_CHOICES ? lanes : lanes.filter((lane) => lane.id !== id),
      ),
    change: (id, change) =>
      edit((lanes) =>
        lanes.map((lane) => {
          if (lane.id !== id) return lane;
          const isMoved = change.policy !== undefined && change.policy !== lane.policy;
          return { ...lane, ...(isMoved ? { options: undefined } : {}), ...change };
        }),
      ),
    settings() {
      const { lanes } = store.getState();
      return (lanes.length > 0 ? lanes : usual()).map((lane) => {
        const chosen = settings.getState();
        const { policy } = lane;
        const options = lane.options
          ? { ...chosen.options, [policy]: lane.options }
          : chosen.options;
        const keepPercent = clampPercent(lane.keepPercent);
        // The full cache is what the other lanes are compared with: it drops nothing.
        const settingsOf = policy === FULL ? cacheSettings : questionSettings;
        return settingsOf({ ...chosen, policy, keepPercent, options }, policies);
      });
    },
    asked() {
      const before = store.getState();
      const pinned = before.lanes.filter(({ isPinned }) => isPinned);
      const free = usual().filter((lane) => pinned.every(({ policy }) => policy !== lane.policy));
      if (pinned.length === 0) store.setState({ isOn: false, lanes: [] });
      else edit((lanes) => lanes.flatMap((lane) => (lane.isPinned ? lane : (free.shift() ?? []))));
      return () => store.setState(before);
    },
  };
}

/**
 * The default lanes: the full cache as the reference, the current settings, and a simple baseline
 * with the same retention.
 */
export function usualLanes(
  { policy, keepPercent }: Pick<SettingsState, "policy" | "keepPercent">,
  policies: readonly PolicyInfo[],
): readonly Pick<LaneChoice, "policy" | "keepPercent">[] {
  const wanted = new Set([FULL, policy, "streaming", "aircache"]);
  return [...wanted]
    .filter((id) => policies.some((known) => known.id === id))
    .slice(0, 3)
    .map((id) => ({ policy: id, keepPercent }));
}
