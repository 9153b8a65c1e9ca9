import { createStore } from "zustand/vanilla";
import { texts } from "@/language/language";
import { greedy } from "@/protocol/defaults";
import { type EngineFailure, toFailure } from "@/protocol/failure";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { forgetShares } from "@/text/forgetShares";
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

export function createCalibration(load: Load, samples: () => readonly SampleImage[]): Calibration {
  const store = createStore<CalibrationState>(() => ({ phase: "idle" }));
  const fail = (failure: EngineFailure) => void store.setState({ phase: "failed", failure }, true);

  async function askSamples(settings: CacheSettings): Promise<readonly number[] | undefined> {
    const engine = load.engine();
    if (!engine || load.store.getState().phase !== "ready")
      return fail({ code: "noModel", message: texts.cache.modelNotLoaded });
    const pages = samples();
    const results: TurnResult[] = [];
    for (const [done, { url, questions }] of pages.entries()) {
      store.setState({ phase: "running", done, total: pages.length }, true);
      const response = await fetch(url);
      if (!response.ok) return fail({ code: "badImage", message: texts.cache.sampleNotRead });
      const turns = [{ images: ["page"], question: questions[0] ?? "" }];
      const images = { page: await response.blob() };
      const sampling = ONE_TOKEN;
      results.push(await engine.ask({ turns, images, settings, sampling, fresh: true }));
    }
    store.setState({ phase: "idle" }, true);
    return forgetShares(results);
  }

  return {
    store,
    run: (settings) => askSamples(settings).catch((error) => fail(toFailure(error))),
  };
}
