import { createStore, type StoreApi } from "zustand/vanilla";
import type { CacheSettings } from "@/protocol/engine";
import type { PolicyInfo } from "./policyInfo";
import {
  cacheSettings,
  clampPercent,
  FULL,
  type SettingsState,
  type SettingsStore,
} from "./settings";

export const FEWEST_LANES = 2;
export const MOST_LANES = 4;

/** One way to compress the prompt of the next comparison. Scope and options are the settings'. */
export interface LaneChoice {
  /** Tells lanes apart while they are edited. */
  readonly id: string;
  readonly policy: string;
  /** Percent of the candidates to keep, 1 to 100; of no effect on the full cache. */
  readonly keepPercent: number;
}

export interface LanesState {
  /** Whether the next question is asked in lanes. */
  readonly isOn: boolean;
  /** Whether the lanes stay for the question after that. */
  readonly isPinned: boolean;
  readonly lanes: readonly LaneChoice[];
}

export interface Lanes {
  readonly store: StoreApi<LanesState>;
  /** Turns comparing on, with lanes around the current settings, or off. */
  toggle(): void;
  pin(isPinned: boolean): void;
  add(): void;
  remove(id: string): void;
  change(id: string, change: Partial<Omit<LaneChoice, "id">>): void;
  /** What the lanes send; those around the current settings where none are chosen. */
  settings(): readonly CacheSettings[];
  /** Lanes that are not pinned end with the question that they were asked. */
  asked(): void;
}

export function createLanes(
  settings: SettingsStore,
  policies: readonly PolicyInfo[],
  newId: () => string,
): Lanes {
  const store = createStore<LanesState>(() => ({ isOn: false, isPinned: false, lanes: [] }));
  const edit = (change: (lanes: readonly LaneChoice[]) => readonly LaneChoice[]) =>
    store.setState(({ lanes }) => ({ lanes: change(lanes) }));
  const withId = (lane: Omit<LaneChoice, "id">): LaneChoice => ({ ...lane, id: newId() });
  const usual = () => usualLanes(settings.getState(), policies).map(withId);

  return {
    store,
    toggle: () =>
      store.setState(({ isOn }) =>
        isOn ? { isOn: false, isPinned: false, lanes: [] } : { isOn: true, lanes: usual() },
      ),
    pin: (isPinned) => store.setState({ isPinned }),
    add() {
      const { keepPercent } = settings.getState();
      edit((lanes) => {
        const taken = new Set(lanes.map(({ policy }) => policy));
        const policy = policies.find(({ id }) => id !== FULL && !taken.has(id))?.id ?? FULL;
        if (lanes.length >= MOST_LANES) return lanes;
        return [...lanes, withId({ policy, keepPercent })];
      });
    },
    remove: (id) =>
      edit((lanes) =>
        lanes.length <= FEWEST_LANES ? lanes : lanes.filter((lane) => lane.id !== id),
      ),
    change: (id, change) =>
      edit((lanes) => lanes.map((lane) => (lane.id === id ? { ...lane, ...change } : lane))),
    settings() {
      const { lanes } = store.getState();
      return (lanes.length > 0 ? lanes : usual()).map((lane) => {
        const keepPercent = clampPercent(lane.keepPercent);
        const state = { ...settings.getState(), policy: lane.policy, keepPercent };
        return cacheSettings(state, policies);
      });
    },
    asked() {
      if (!store.getState().isPinned) store.setState({ isOn: false, lanes: [] });
    },
  };
}

/** The full cache as the reference, the current settings, and the plainest way to keep as much. */
export function usualLanes(
  { policy, keepPercent }: Pick<SettingsState, "policy" | "keepPercent">,
  policies: readonly PolicyInfo[],
): readonly Omit<LaneChoice, "id">[] {
  const wanted = new Set([FULL, policy, "streaming", "aircache"]);
  return [...wanted]
    .filter((id) => policies.some((known) => known.id === id))
    .slice(0, 3)
    .map((id) => ({ policy: id, keepPercent }));
}
