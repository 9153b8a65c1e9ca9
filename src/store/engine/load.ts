import { texts } from "@/language/language";
import type { Engine } from "@/protocol/engine";
import { toFailure } from "@/protocol/failure";
import type { LoadRequest } from "@/protocol/model";
import type { LoadTypes } from "../settings/settings";
import { createModelStore, type ModelStore, reduceLoad } from "./model";

/**
 * Number of lost devices that are handled by loading again, within `RECOVERY_WINDOW_MS` and without
 * an answer between them.
 */
const MAX_RECOVERIES = 2;
const RECOVERY_WINDOW_MS = 60_000;

/** The engine and its model: connecting, loading, and loading again after a lost device. */
export interface Load {
  readonly store: ModelStore;
  /** Undefined until `start` has connected. */
  engine(): Engine | undefined;
  start(): Promise<void>;
  /** Loads again after a failure. */
  retry(): Promise<void>;
  /** Replaces the model; a load under way is stopped. Only between answers. */
  use(request: LoadRequest): Promise<void>;
  /** Loads the same model again, with what `types` says now; as `use`. */
  reload(): Promise<void>;
  /** Loads again after a lost device, unless too many were lost. */
  recover(): void;
  /** An answer has succeeded: resets the count of lost devices. */
  answered(): void;
  /** Devices lost since the page was opened. */
  lossCount(): number;
}

export function createLoad(
  connect: () => Promise<Engine>,
  initial: LoadRequest,
  now: () => number,
  types: () => LoadTypes = () => ({}),
): Load {
  const store = createModelStore();
  let engine: Engine | undefined;
  let request = initial;
  let loading: Promise<void> = Promise.resolve();
  /** A reload that waits for what the engine still does. */
  let reloading: Promise<void> | undefined;
  const losses = recentLosses(now);
  let lossCount = 0;

  async function load(afterLoss: boolean) {
    store.setState(
      {
        phase: "loading",
        step: "download",
        files: {},
        kernels: { compiled: 0, asked: 0 },
        afterLoss,
      },
      true,
    );
    try {
      if (!engine) {
        engine = await connect();
        engine.subscribe((event) => {
          if (event.type === "load") store.setState((state) => reduceLoad(state, event), true);
          if (event.type === "deviceLost") recover(event.isStop);
        });
      }
      const info = await engine.load({ ...request, ...types() });
      store.setState({ phase: "ready", info }, true);
    } catch (error) {
      store.setState({ phase: "failed", failure: toFailure(error) }, true);
    }
  }

  function begin(afterLoss: boolean): Promise<void> {
    loading = load(afterLoss);
    return loading;
  }

  /** Ends a load or an answer under way. */
  async function idle() {
    const cancel = () => engine?.cancel().catch(() => undefined);
    do {
      if (store.getState().phase === "loading") void cancel();
      await loading;
      // The full cache's answer may still be on its way. An engine that has to be ended loads again.
      await cancel();
    } while (store.getState().phase === "loading");
  }

  /** A second request before the first one's load replaces it: what is wanted is read when the load begins. */
  function reload(): Promise<void> {
    reloading ??= idle().then(() => {
      reloading = undefined;
      return begin(false);
    });
    return reloading;
  }

  function recover(isStop = false) {
    if (store.getState().phase !== "ready") return;
    lossCount += 1;
    if (isStop) return void begin(true);
    if (losses.add() <= MAX_RECOVERIES) return void begin(true);
    const message = texts.failures.lostOften;
    store.setState(
      { phase: "failed", failure: { code: "deviceLost", message, action: "reload" } },
      true,
    );
  }

  return {
    store,
    engine: () => engine,
    start: () => begin(false),
    retry: () => begin(false),
    use(next) {
      request = next;
      return reload();
    },
    reload,
    recover,
    answered: losses.forget,
    lossCount: () => lossCount,
  };
}

/** Counts devices that were lost within `RECOVERY_WINDOW_MS`. */
function recentLosses(now: () => number) {
  let times: readonly number[] = [];
  return {
    /** @returns how many, with this one */
    add(): number {
      times = [...times.filter((at) => now() - at < RECOVERY_WINDOW_MS), now()];
      return times.length;
    },
    forget(): void {
      times = [];
    },
  };
}
