import { createStore, type StoreApi } from "zustand/vanilla";
import type { DownloadProgress } from "@/hub/downloadFiles";
import type { Hub, HubCallOptions } from "@/hub/hub";
import { HubError, type HubErrorCode } from "@/hub/hubError";
import { isSite, type ModelAddress, type Repository } from "@/hub/repository";
import type { StoredModel } from "@/hub/storedModels";
import { type EngineFailure, toFailure } from "@/protocol/failure";
import type { LoadRequest, ModelOutline } from "@/protocol/model";
import type { Load } from "../engine/load";
import type { ReadonlyStore } from "../readonlyStore";
import type { Place } from "./modelFit";

/** A model of the Hub, before its download. */
export interface FoundModel {
  readonly repository: Repository;
  readonly outline: ModelOutline;
  /** Bytes to download. */
  readonly bytes: number;
}

export interface ModelsFailure {
  /** The model that was looked up. */
  readonly id: string;
  /** What the Hub or the storage refused; undefined: the engine failed. */
  readonly refused: HubErrorCode | undefined;
  readonly failure: EngineFailure;
  /** Page on which terms can be accepted. */
  readonly consentUrl?: string;
}

export interface ModelsState {
  /** The list of models is on screen. */
  readonly isOpen: boolean;
  /** Models in the browser's storage, complete or not. */
  readonly stored: readonly StoredModel[];
  /** Key of the stored model in use, `folder` for somebody's own files, undefined for the embedded one. */
  readonly inUse: string | undefined;
  readonly phase: "idle" | "looking" | "downloading";
  readonly found: FoundModel | undefined;
  readonly progress: DownloadProgress | undefined;
  readonly failure: ModelsFailure | undefined;
  readonly place: Place;
}

/** Models other than the embedded one: from the Hub, from the browser's storage, from a folder. */
export interface Models {
  readonly store: ReadonlyStore<ModelsState>;
  /** Loads the first model. @param id one of the Hub: if the browser does not keep it, it is looked up */
  start(id?: string): Promise<void>;
  /** Shows the list of models, with what the browser keeps. */
  open(): void;
  close(): void;
  /** Asks the Hub about a model and refuses one that the engine does not support. */
  find(address: ModelAddress, token?: string): Promise<void>;
  /** Downloads the found model, then loads it. */
  download(): Promise<void>;
  /** Stops looking or downloading; what has arrived stays. */
  stop(): void;
  /** Loads a stored model, or the embedded one. */
  choose(stored?: StoredModel): Promise<void>;
  /** How to load the model of an earlier answer (`ModelInfo.id`) and go on; undefined if it is not here. */
  resuming(name: string): (() => Promise<void>) | undefined;
  /** Reads again what the browser keeps. */
  refresh(): Promise<void>;
  /** Loads a folder that somebody chose or dropped. @param files by their paths in the folder */
  chooseFolder(name: string, files: ReadonlyMap<string, File>): Promise<void>;
  remove(stored: StoredModel): Promise<void>;
}

const PROCESSOR_FILES = ["preprocessor_config.json", "processor_config.json"];

/** Chromium tells the computer's memory in steps, up to 32 GB. */
function deviceBytes(): number | undefined {
  const { deviceMemory } = (globalThis.navigator ?? {}) as Navigator & {
    readonly deviceMemory?: number;
  };
  return deviceMemory === undefined ? undefined : deviceMemory * 1e9;
}

function initialState(): ModelsState {
  return {
    ...{ isOpen: false, stored: [], inUse: undefined, phase: "idle" },
    ...{ found: undefined, progress: undefined, failure: undefined },
    place: { rate: undefined, freeBytes: undefined, deviceBytes: deviceBytes() },
  };
}

interface ModelsOptions {
  readonly hub: Hub;
  readonly load: Load;
  readonly embedded: LoadRequest;
  /** Begins a new conversation: token ids belong to one model. */
  readonly begin: () => void;
}

export function createModels({ hub, load, embedded, begin }: ModelsOptions): Models {
  const store = createStore<ModelsState>(initialState);
  const tasks = oneAtATime(store, hub);
  let token: string | undefined;

  const refresh = () => refreshStored(store, hub);

  async function use(request: LoadRequest, inUse: string | undefined) {
    store.setState({ inUse, failure: undefined, isOpen: false });
    await load.use(request);
  }

  async function change(request: LoadRequest, inUse: string | undefined) {
    begin();
    await use(request, inUse);
  }

  /** @param start `use` leaves the conversation as it is, `change` begins a new one */
  const fromStorage = (stored: StoredModel, start: typeof use) =>
    tasks.run("idle", stored.id, async () => start(await storedRequest(hub, stored), stored.key));

  const choose = (stored?: StoredModel) =>
    stored ? fromStorage(stored, change) : change(embedded, undefined);

  const find = (address: ModelAddress, given?: string) =>
    tasks.run("looking", address.id, async (signal) => {
      token = given;
      store.setState({ found: undefined });
      const found = await lookUp(hub, load, address, { token, signal });
      store.setState({ found });
    });

  return {
    store,
    open() {
      store.setState({ isOpen: true });
      void refresh();
      void survey(store, hub, load);
    },
    close: () => store.setState({ isOpen: false }),
    find,
    async start(id) {
      if (id === undefined) return load.start();
      await refresh();
      const address = hub.named({ id, revision: "main" });
      const own = store.getState().stored.find((each) => each.id === address.id && each.isComplete);
      // Not as a change: the page restores its conversation, or reads its first image, at the same time.
      if (own) return fromStorage(own, use);
      store.setState({ isOpen: true });
      await load.start();
      await find(address);
    },
    async download() {
      const { found } = store.getState();
      if (!found) return;
      const { id, commit } = found.repository;
      let stored: StoredModel | undefined;
      await tasks.run("downloading", id, async (signal) => {
        const onProgress = (progress: DownloadProgress) => store.setState({ progress });
        stored = await hub.install({ id, revision: commit }, { token, signal, onProgress });
        store.setState({ found: undefined });
      });
      if (stored) await choose(stored);
    },
    stop: tasks.stop,
    choose,
    resuming(name) {
      if (name === lastPart(embedded.baseUrl)) return () => use(embedded, undefined);
      const found = completeNamed(store.getState().stored, name);
      return found && (() => fromStorage(found, use));
    },
    refresh,
    chooseFolder: (name, files) => change({ baseUrl: folderUrl(name), files }, "folder"),
    async remove(stored) {
      if (store.getState().inUse === stored.key) await change(embedded, undefined);
      await hub.remove(stored.key).catch(() => {});
      await refresh();
    },
  };
}

/** Runs one task at a time; a failure becomes a sentence, a stop leaves none. */
function oneAtATime(store: StoreApi<ModelsState>, hub: Hub) {
  let abort = new AbortController();
  return {
    /** @param id the model that the task is about */
    async run(
      phase: ModelsState["phase"],
      id: string,
      task: (signal: AbortSignal) => Promise<void>,
    ): Promise<void> {
      abort.abort();
      const own = new AbortController();
      abort = own;
      store.setState({ phase, failure: undefined, progress: undefined });
      try {
        await task(own.signal);
      } catch (error) {
        if (!own.signal.aborted) store.setState({ failure: failureOf(error, hub, id) });
      }
      if (abort === own) store.setState({ phase: "idle", progress: undefined });
      await refreshStored(store, hub);
    },
    stop() {
      abort.abort(new DOMException("Stopped.", "AbortError"));
      store.setState({ phase: "idle", progress: undefined });
    },
  };
}

async function refreshStored(store: StoreApi<ModelsState>, hub: Hub): Promise<void> {
  // Private windows may have no storage; then nothing is stored.
  store.setState({ stored: await hub.list().catch(() => []) });
}

async function storedRequest(hub: Hub, { id, key, commit }: StoredModel): Promise<LoadRequest> {
  const files = await hub.files(key);
  const baseUrl = isSite(id) ? `${id}/` : `${hub.endpoint}/${id}/`;
  return { baseUrl, files, revision: commit };
}

/** An address for the files of a folder; none of them is requested from it. */
function folderUrl(name: string): string {
  return `https://folder.invalid/${encodeURIComponent(name)}/`;
}

/** The engine names a model by the last part of its address. */
function lastPart(address: string): string | undefined {
  return address.split("/").filter(Boolean).at(-1);
}

function completeNamed(stored: readonly StoredModel[], name: string): StoredModel | undefined {
  return stored.find(({ id, isComplete }) => isComplete && lastPart(id) === name);
}

/** What fits here. The adapter is measured once, between answers. */
async function survey(store: StoreApi<ModelsState>, hub: Hub, load: Load): Promise<void> {
  const freeBytes = await hub.freeBytes().catch(() => undefined);
  const { rate } = store.getState().place;
  store.setState(({ place }) => ({ place: { ...place, freeBytes } }));
  const measured =
    rate ??
    (await load
      .engine()
      ?.measure()
      .catch(() => undefined));
  store.setState(({ place }) => ({ place: { ...place, rate: measured } }));
}

/** @throws HubError, and EngineError for a model that the engine does not support */
async function lookUp(
  hub: Hub,
  load: Load,
  address: ModelAddress,
  access: HubCallOptions & { readonly signal: AbortSignal },
): Promise<FoundModel> {
  const repository = await hub.describe(address, access);
  const config = await hub.text(repository, "config.json", access);
  const engine = load.engine();
  if (!engine) throw new Error("The engine has not started.");
  const outline = await engine.inspect(config, await processorTexts(hub, repository, access));
  access.signal.throwIfAborted();
  const bytes = repository.files.reduce((sum, file) => sum + file.bytes, 0);
  return { repository, outline, bytes };
}

/** The files by which an image's rows are known. */
async function processorTexts(hub: Hub, repository: Repository, access: HubCallOptions) {
  const names = PROCESSOR_FILES.filter((each) =>
    repository.files.some(({ name }) => name === each),
  );
  const read = async (name: string) => [name, await hub.text(repository, name, access)] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

function failureOf(error: unknown, hub: Hub, id: string): ModelsFailure {
  if (error instanceof HubError) {
    const consentUrl = error.code === "gated" ? hub.consentPage(id) : undefined;
    const failure = { code: "badModel", message: error.message } as const;
    return { id, refused: error.code, failure, ...(consentUrl ? { consentUrl } : {}) };
  }
  return { id, refused: undefined, failure: toFailure(error) };
}
