import { createStore, type StoreApi } from "zustand/vanilla";
import type { EngineEvent } from "@/protocol/event";
import type { EngineFailure } from "@/protocol/failure";
import type { ModelInfo } from "@/protocol/model";
import type { ReadonlyStore } from "../readonlyStore";

type LoadEvent = Extract<EngineEvent, { type: "load" }>;

export type ModelState =
  | { readonly phase: "idle" }
  | {
      readonly phase: "loading";
      readonly step: LoadEvent["phase"];
      readonly files: Readonly<Record<string, { readonly loaded: number; readonly total: number }>>;
      /** GPU kernels so far; more may follow. */
      readonly kernels: NonNullable<LoadEvent["kernels"]>;
      /** Set when a lost device is the reason for loading again. */
      readonly afterLoss: boolean;
    }
  | { readonly phase: "ready"; readonly info: ModelInfo }
  | { readonly phase: "failed"; readonly failure: EngineFailure };

export type ModelStore = ReadonlyStore<ModelState>;

export function createModelStore(): StoreApi<ModelState> {
  return createStore<ModelState>(() => ({ phase: "idle" }));
}

/** Applies a load event while loading; other states do not change. */
export function reduceLoad(state: ModelState, event: LoadEvent): ModelState {
  if (state.phase !== "loading") return state;
  const file = { loaded: event.loadedBytes, total: event.totalBytes };
  const files = event.file ? { ...state.files, [event.file]: file } : state.files;
  return { ...state, step: event.phase, files, kernels: event.kernels ?? state.kernels };
}

/** What a load waits for: its files, or what the GPU does with those that have arrived. */
export function loadWaitsFor(
  state: Extract<ModelState, { phase: "loading" }>,
): "files" | "kernels" | "selfTest" {
  const { loaded, total } = loadedBytes(state);
  if (loaded < total || total === 0) return "files";
  if (state.step === "selfTest") return "selfTest";
  const { compiled, asked } = state.kernels;
  return compiled < asked || state.step === "compile" ? "kernels" : "files";
}

/** Bytes over all files whose size is known so far. */
export function loadedBytes(state: Extract<ModelState, { phase: "loading" }>): {
  readonly loaded: number;
  readonly total: number;
} {
  let loaded = 0;
  let total = 0;
  for (const file of Object.values(state.files)) {
    loaded += file.loaded;
    total += Math.max(file.total, file.loaded);
  }
  return { loaded, total };
}

/** Between 0 and 1: of the files' bytes, then of the kernels. */
export function loadShare(state: Extract<ModelState, { phase: "loading" }>): number {
  const { compiled, asked } = state.kernels;
  if (loadWaitsFor(state) !== "files") return asked > 0 ? compiled / asked : 1;
  const { loaded, total } = loadedBytes(state);
  return total > 0 ? loaded / total : 0;
}

/** `ModelInfo.id`; undefined while no model is ready. */
export function loadedModel(state: ModelState): string | undefined {
  return state.phase === "ready" ? state.info.id : undefined;
}

/** The model of this repository, which was trained on English alone. */
const EMBEDDED = /(^|\/)keepsight-mini\/?$/;

/** Whether the model reads English only; a model that is still loading is taken for the embedded one. */
export function readsEnglishOnly(state: ModelState): boolean {
  return state.phase !== "ready" || EMBEDDED.test(state.info.id);
}
