import type { DownloadProgress } from "./downloadFiles";
import { HubError } from "./hubError";
import { freeBytes } from "./install";
import type { InstallMessage, InstallRequest } from "./messages";
import { consentPage, fetchText, type ModelAddress, type Repository } from "./repository";
import { findRepository, named } from "./site";
import {
  listStored,
  modelsFolder,
  removeStored,
  type StoredModel,
  storedFiles,
} from "./storedModels";

export interface HubCallOptions {
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The page's access to a Hub and to the models that the browser keeps. */
export interface Hub {
  readonly endpoint: string;
  /** Page on which a person accepts a model's terms. */
  consentPage(id: string): string;
  /** The one spelling of a model's name, under which it is stored. */
  named(address: ModelAddress): ModelAddress;
  /** Commit, files and licence, before anything large is fetched. @throws HubError */
  describe(address: ModelAddress, options?: HubCallOptions): Promise<Repository>;
  /** A small file as text. @throws HubError */
  text(repository: Repository, name: string, options?: HubCallOptions): Promise<string>;
  /** Downloads into the browser's storage; continues a stopped download. @throws HubError, the signal's reason */
  install(
    address: ModelAddress,
    options: HubCallOptions & { readonly onProgress: (progress: DownloadProgress) => void },
  ): Promise<StoredModel>;
  /** Models in the browser's storage, complete or not. */
  list(): Promise<readonly StoredModel[]>;
  /** Files of a complete model, for the engine's `load`. @throws HubError */
  files(key: string): Promise<ReadonlyMap<string, File>>;
  remove(key: string): Promise<void>;
  /** Bytes that the browser's storage still takes; undefined if it does not tell. */
  freeBytes(): Promise<number | undefined>;
}

/** @param endpoint without a slash at its end */
export function createHub(endpoint: string): Hub {
  return {
    endpoint,
    consentPage: (id) => consentPage(endpoint, id),
    named: (address) => named(address, endpoint),
    describe: (address, options = {}) => findRepository(address, { endpoint, ...options }),
    text: (repository, name, options = {}) => fetchText(repository, name, { endpoint, ...options }),
    install: (address, { token, signal, onProgress }) =>
      runInstall({ address, access: { endpoint, token } }, signal, onProgress),
    list: async () => listStored(await modelsFolder()),
    files: async (key) => storedFiles(await modelsFolder(), key),
    remove: async (key) => removeStored(await modelsFolder(), key),
    freeBytes,
  };
}

/** Stopping ends the worker; what it has stored stays, and a later call continues. */
function runInstall(
  request: InstallRequest,
  signal: AbortSignal | undefined,
  onProgress: (progress: DownloadProgress) => void,
): Promise<StoredModel> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL("./installWorker.ts", import.meta.url), {
    type: "module",
    name: "keepsight-install",
  });
  return new Promise<StoredModel>((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    worker.onerror = () => reject(new HubError("network", "The download ended unexpectedly."));
    worker.onmessage = ({ data }: MessageEvent<InstallMessage>) => {
      if (data.type === "progress") onProgress(data.progress);
      else if (data.type === "stored") resolve(data.stored);
      else reject(new HubError(data.code, data.message));
    };
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}
