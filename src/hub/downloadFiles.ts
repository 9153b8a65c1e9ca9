import { type DownloadOptions, downloadFile, type GrowingFile } from "./download";
import { limited } from "./limited";
import type { Repository } from "./repository";

interface ShareOfFile {
  readonly name: string;
  readonly loadedBytes: number;
  readonly bytes: number;
}

export interface DownloadProgress {
  readonly files: readonly ShareOfFile[];
  /** Sums over the files. */
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

interface FilesOptions extends Omit<DownloadOptions, "onBytes" | "connection"> {
  /** Opens a file for as long as its download lasts. */
  readonly open: (name: string) => Promise<GrowingFile & { close(): void }>;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Each holds up to four ranges of 8 MiB. */
const FILES_AT_ONCE = 3;
/** As many as browsers open to one host over HTTP/1.1. */
const CONNECTIONS = 6;

/**
 * Downloads a model's files, several at a time over a limited number of connections. The first failure stops
 * all; what has arrived stays.
 * @throws what `downloadFile` throws, after every file is closed
 */
export async function downloadFiles(
  repository: Repository,
  { open, onProgress, ...options }: FilesOptions,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const connection = limited(CONNECTIONS);
  const place = limited(FILES_AT_ONCE);
  const loaded = new Map<string, number>();
  const tell = () => onProgress?.(progressOf(repository, loaded));
  const downloads = repository.files.map(async (file) => {
    const leave = await place();
    try {
      signal.throwIfAborted();
      const target = await open(file.name);
      const onBytes = (bytes: number) => {
        loaded.set(file.name, bytes);
        tell();
      };
      await downloadFile(repository, file, target, {
        ...options,
        ...{ signal, connection, onBytes },
      }).finally(() => target.close());
    } catch (error) {
      failed.abort(error);
    } finally {
      leave();
    }
  });
  await Promise.all(downloads);
  signal.throwIfAborted();
}

function progressOf({ files }: Repository, loaded: ReadonlyMap<string, number>): DownloadProgress {
  const each = files.map(({ name, bytes }) => ({
    ...{ name, bytes, loadedBytes: loaded.get(name) ?? 0 },
  }));
  return {
    files: each,
    loadedBytes: each.reduce((sum, { loadedBytes }) => sum + loadedBytes, 0),
    totalBytes: each.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
