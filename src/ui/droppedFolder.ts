import { texts } from "@/language/language";

/** The part of `FileSystemEntry` that this module uses. */
interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
}

interface FileEntry extends Entry {
  file(done: (file: File) => void, failed: (error: unknown) => void): void;
}

interface DirectoryEntry extends Entry {
  createReader(): {
    readEntries(done: (entries: Entry[]) => void, failed: (error: unknown) => void): void;
  };
}

/** A model directory that somebody dropped. */
export interface DroppedFolder {
  readonly name: string;
  /** Files by their path in the folder. @throws Error with a sentence to show */
  readonly files: () => Promise<ReadonlyMap<string, File>>;
}

/** The first folder of a drop, read while its event lasts; undefined if only files were dropped. */
export function droppedFolder(data: DataTransfer): DroppedFolder | undefined {
  const entries = Array.from(data.items ?? [], (item) => item.webkitGetAsEntry());
  const folder = entries.find((entry) => entry?.isDirectory) as DirectoryEntry | undefined;
  return folder && { name: folder.name, files: () => modelFiles(folder) };
}

/** Nothing below the folder is read unless it has a `config.json`: somebody may drop any folder. */
async function modelFiles(folder: DirectoryEntry): Promise<ReadonlyMap<string, File>> {
  const entries = await entriesOf(folder);
  if (!entries.some(({ name }) => name === "config.json")) {
    throw new Error(texts.models.noModelIn(folder.name));
  }
  return new Map(await walk(entries, ""));
}

async function walk(entries: readonly Entry[], path: string): Promise<[string, File][]> {
  const found = entries
    .filter(({ name }) => !name.startsWith("."))
    .map(async (entry): Promise<[string, File][]> => {
      const name = path + entry.name;
      return entry.isDirectory
        ? walk(await entriesOf(entry as DirectoryEntry), `${name}/`)
        : [[name, await fileOf(entry as FileEntry)]];
    });
  return (await Promise.all(found)).flat();
}

/** A reader gives at most 100 entries at a time; none at the end. */
async function entriesOf(folder: DirectoryEntry): Promise<readonly Entry[]> {
  const reader = folder.createReader();
  const all: Entry[] = [];
  while (true) {
    const some = await new Promise<Entry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

const fileOf = (entry: FileEntry) => new Promise<File>((done, failed) => entry.file(done, failed));
