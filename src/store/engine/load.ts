import { type Engine, type LoadRequest, toFailure } from "@/protocol/engine";
import { createModelStore, type ModelStore, reduceLoad } from "./model";

/** Lost devices that are answered by loading again, within `RECOVERY_WINDOW_MS` and with no answer between them. */
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
  /** Loads again after a lost device, unless devices keep getting lost. */
  recover(): void;
  /** An answer was given: the device is good for something, and its next loss is a first one. */
  answered(): void;
  /** Devices lost since the page was opened. */
  lossCount(): number;
}

export function createLoad(
  connect: () => Promise<Engine>,
  request: LoadRequest,
  now: () => number,
): Load {
  const store = createModelStore();
  let engine: Engine | undefined;
  let losses: readonly number[] = [];
  let lossCount = 0;

  async function load(afterLoss: boolean) {
    store.setState({ phase: "loading", step: "download", files: {}, afterLoss }, true);
    try {
      if (!engine) {
        engine = await connect();
        engine.subscribe((event) => {
          if (event.type === "load") store.setState((state) => reduceLoad(state, event), true);
          if (event.type === "deviceLost") recover();
        });
      }
      const info = await engine.load(request);
      store.setState({ phase: "ready", info }, true);
    } catch (error) {
      store.setState({ phase: "failed", failure: toFailure(error) }, true);
    }
  }

  function recover() {
    if (store.getState().phase !== "ready") return;
    lossCount += 1;
    losses = [...losses.filter((at) => now() - at < RECOVERY_WINDOW_MS), now()];
    if (losses.length <= MAX_RECOVERIES) {
      void load(true);
      return;
    }
    const message = "The graphics device was lost several times in a minute.";
    store.setState(
      { phase: "failed", failure: { code: "deviceLost", message, action: "reload" } },
      true,
    );
  }

  return {
    store,
    engine: () => engine,
    start: () => load(false),
    retry: () => load(false),
    recover,
    answered() {
      losses = [];
    },
    lossCount: () => lossCount,
  };
}
