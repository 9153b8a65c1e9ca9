import { HubError } from "./hubError";
import { type HubFile, isSite, type Repository } from "./repository";

/** A model in the browser's storage. */
export interface StoredModel {
  /** Name of its folder: `owner--name@commit`; for an address, its characters escaped by `=`. */
  readonly key: string;
  /** `owner/name`, or an address. */
  readonly id: string;
  readonly commit: string;
  /** Bytes stored. */
  readonly bytes: number;
  /** Every file is here and verified; else a download was stopped and can go on. */
  readonly isComplete: boolean;
  readonly license?: string;
}

/** Of the origin private file system. */
export const MODELS_FOLDER = "models";
/** Written last: a folder without it is an unfinished download. */
const MANIFEST = "keepsight-model.json";

interface Manifest extends Repository {
  readonly files: readonly HubFile[];
}

/** Folder of all models, in the origin private file system. */
export async function modelsFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(MODELS_FOLDER, { create: true });
}

export function keyOf({ id, commit }: { readonly id: string; readonly commit: string }): string {
  const name = isSite(id) ? encodeURIComponent(id).replaceAll("%", "=") : id.replace("/", "--");
  return `${name}@${commit}`;
}

function idOf(name: string): string {
  const address = decodeURIComponent(name.replaceAll("=", "%"));
  return isSite(address) ? address : name.replace("--", "/");
}

/** Every model of the folder, complete or not. */
export async function listStored(folder: FileSystemDirectoryHandle): Promise<StoredModel[]> {
  const stored: StoredModel[] = [];
  for await (const [key, handle] of folder.entries()) {
    if (handle.kind !== "directory") continue;
    const match = /^(.+)@([0-9a-f]{40})$/.exec(key);
    if (!match) continue;
    const [, name = "", commit = ""] = match;
    const files = await filesIn(handle);
    const manifest = await readManifest(files);
    const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
    const license = manifest?.license;
    stored.push({
      ...{ key, id: idOf(name), commit, bytes, isComplete: manifest !== undefined },
      ...(license === undefined ? {} : { license }),
    });
  }
  return stored;
}

/** Files of a complete model, by name, for the engine's `load`. @throws HubError */
export async function storedFiles(
  folder: FileSystemDirectoryHandle,
  key: string,
): Promise<ReadonlyMap<string, File>> {
  const handle = await folder.getDirectoryHandle(key).catch(() => undefined);
  const files = handle ? await filesIn(handle) : new Map<string, File>();
  const manifest = await readManifest(files);
  files.delete(MANIFEST);
  if (!manifest) {
    throw new HubError("incomplete", `The stored model ${key} is not complete; download it again.`);
  }
  return files;
}

export async function removeStored(folder: FileSystemDirectoryHandle, key: string): Promise<void> {
  await folder.removeEntry(key, { recursive: true });
}

/** Declares a model complete. */
export async function writeManifest(
  model: FileSystemDirectoryHandle,
  repository: Repository,
): Promise<void> {
  const handle = await model.getFileHandle(MANIFEST, { create: true });
  const access = await handle.createSyncAccessHandle();
  try {
    access.truncate(0);
    access.write(new TextEncoder().encode(JSON.stringify(repository satisfies Manifest)), {
      at: 0,
    });
    access.flush();
  } finally {
    access.close();
  }
}

async function filesIn(model: FileSystemDirectoryHandle): Promise<Map<string, File>> {
  const files = new Map<string, File>();
  for await (const [name, handle] of model.entries()) {
    if (handle.kind === "file") files.set(name, await handle.getFile());
  }
  return files;
}

/** The manifest of a model whose files are all here, with all their bytes. */
async function readManifest(files: ReadonlyMap<string, File>): Promise<Manifest | undefined> {
  try {
    const value = JSON.parse((await files.get(MANIFEST)?.text()) ?? "") as Manifest;
    const isWhole = value.files.every(({ name, bytes }) => files.get(name)?.size === bytes);
    return isWhole ? value : undefined;
  } catch {
    return undefined;
  }
}
