import { createStore } from "zustand/vanilla";
import { texts } from "@/language/language";
import { greedy } from "@/protocol/defaults";
import type { Engine } from "@/protocol/engine";
import { EngineError, type EngineFailure, toFailure } from "@/protocol/failure";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { forgetShares } from "@/text/forgetShares";
import type { Chat } from "../chat/chat";
import type { StoredCaches } from "../chat/storedCaches";
import type { Load } from "../engine/load";
import type { SampleImage } from "../images/samples";
import type { ReadonlyStore } from "../readonlyStore";

type CalibrationState =
  | { readonly phase: "idle" }
  | { readonly phase: "running"; readonly done: number; readonly total: number }
  | { readonly phase: "failed"; readonly failure: EngineFailure };

export interface Calibration {
  readonly store: ReadonlyStore<CalibrationState>;
  /**
   * Runs a policy's search on the first question of every sample page and averages the results:
   * forget shares per layer, or undefined if it failed (the store has the reason).
   */
  run(settings: CacheSettings): Promise<readonly number[] | undefined>;
}

const ONE_TOKEN: Sampling = greedy(1);

interface CalibrationOptions {
  readonly load: Pick<Load, "store">;
  readonly chat: Pick<Chat, "borrow">;
  readonly caches: Pick<StoredCaches, "freed">;
  readonly samples: () => readonly SampleImage[];
}

export function createCalibration({
  load,
  chat,
  caches,
  samples,
}: CalibrationOptions): Calibration {
  const store = createStore<CalibrationState>(() => ({ phase: "idle" }));
  const fail = (failure: EngineFailure) => void store.setState({ phase: "failed", failure }, true);

  async function search(engine: Engine, settings: CacheSettings): Promise<readonly number[]> {
    const pages = samples();
    const results: TurnResult[] = [];
    for (const [done, page] of pages.entries()) {
      store.setState({ phase: "running", done, total: pages.length }, true);
      results.push(await askAbout(page, engine, settings));
    }
    return forgetShares(results);
  }

  async function run(settings: CacheSettings): Promise<readonly number[] | undefined> {
    if (load.store.getState().phase !== "ready") {
      return fail({ code: "noModel", message: texts.cache.modelNotLoaded });
    }
    let shares: readonly number[] | undefined;
    const isFree = await chat.borrow(async (engine) => {
      try {
        shares = await search(engine, settings);
        store.setState({ phase: "idle" }, true);
      } catch (error) {
        fail(toFailure(error));
      } finally {
        // The rows are a sample's: the conversation goes on from its stored cache.
        caches.freed();
        await engine.clear().catch(() => undefined);
      }
    });
    if (!isFree) fail({ code: "busy", message: texts.cache.engineBusy });
    return shares;
  }

  return { store, run };
}

async function askAbout(
  { url, questions }: SampleImage,
  engine: Engine,
  settings: CacheSettings,
): Promise<TurnResult> {
  const response = await fetch(url);
  if (!response.ok) throw new EngineError({ code: "badImage", message: texts.cache.sampleNotRead });
  const turns = [{ images: ["page"], question: questions[0] ?? "" }];
  const images = { page: await response.blob() };
  const result = await engine.ask({ turns, images, settings, sampling: ONE_TOKEN, fresh: true });
  if (result.finish !== "cancelled") return result;
  throw new EngineError({ code: "cancelled", message: texts.cache.calibrationStopped });
}
