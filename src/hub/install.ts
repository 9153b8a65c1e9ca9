import { type DownloadProgress, downloadFiles } from "./downloadFiles";
import { HubError } from "./hubError";
import type { HubAccess, ModelAddress, Repository } from "./repository";
import { confirmRepository, findRepository } from "./site";
import { keyOf, listStored, modelsFolder, type StoredModel, writeManifest } from "./storedModels";

interface InstallOptions extends HubAccess {
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Left free for conversations and for what the browser itself stores. */
const RESERVE_BYTES = 64e6;

/**
 * Downloads a model of the Hub into the browser's storage, or continues to. Only one tab at a time does
 * so for a model: another one waits and then finds it complete. Runs in a worker, where files can be
 * written in place.
 * @throws HubError; the signal's reason
 */
export async function install(
  address: ModelAddress,
  options: InstallOptions,
): Promise<StoredModel> {
  const repository = await findRepository(address, options);
  const key = keyOf(repository);
  const { signal } = options;
  return navigator.locks.request(`keepsight-model-${key}`, signal ? { signal } : {}, async () => {
    const folder = await modelsFolder();
    const before = (await listStored(folder)).find((stored) => stored.key === key);
    if (before?.isComplete) return before;
    await checkSpace(repository, before?.bytes ?? 0);
    const model = await folder.getDirectoryHandle(key, { create: true });
    await downloadAll(repository, model, options);
    await confirmRepository(repository, options);
    await writeManifest(model, repository);
    const stored = (await listStored(folder)).find((each) => each.key === key);
    if (!stored) throw new HubError("noSpace", "The browser has deleted the model again.");
    return stored;
  });
}

async function downloadAll(
  repository: Repository,
  model: FileSystemDirectoryHandle,
  { onProgress, ...options }: InstallOptions,
): Promise<void> {
  let storedBytes = 0;
  try {
    await downloadFiles(repository, {
      ...options,
      open: async (name) =>
        (await model.getFileHandle(name, { create: true })).createSyncAccessHandle(),
      onProgress: (progress) => {
        storedBytes = progress.loadedBytes;
        onProgress?.(progress);
      },
    });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "QuotaExceededError")) throw error;
    throw noSpace(bytesOf(repository), storedBytes);
  }
}

/** Bytes that models may take; undefined if the browser does not tell. */
export async function freeBytes(): Promise<number | undefined> {
  const { quota, usage = 0 } = await navigator.storage.estimate();
  return quota === undefined ? undefined : Math.max(0, quota - usage - RESERVE_BYTES);
}

async function checkSpace(repository: Repository, storedBytes: number): Promise<void> {
  const free = await freeBytes();
  const missing = bytesOf(repository) - storedBytes;
  if (free !== undefined && free < missing) throw noSpace(missing, free);
}

function bytesOf({ files }: Repository): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function noSpace(neededBytes: number, freeBytes: number): HubError {
  const megabytes = (bytes: number) => `${Math.max(0, Math.round(bytes / 1e6))} MB`;
  const message = `The model needs ${megabytes(neededBytes)} of storage; the browser gives ${megabytes(freeBytes)}.`;
  return new HubError("noSpace", message);
}
