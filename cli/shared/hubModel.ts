import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { GrowingFile } from "@/hub/download";
import { downloadFiles } from "@/hub/downloadFiles";
import { HubError } from "@/hub/hubError";
import { type HubAccess, isSite } from "@/hub/repository";
import { confirmRepository, findRepository } from "@/hub/site";
import { keyOf } from "@/hub/storedModels";
import { inputError } from "./options";

/** `owner/name` or `owner/name@revision` */
const ON_HUB = /^(?<id>\w[\w.-]*\/\w[\w.-]*?)(@(?<revision>[\w./-]+))?$/;

interface HubModelOptions {
  readonly endpoint: string;
  readonly token?: string | undefined;
  /** Folder of all downloaded models. */
  readonly cache: string;
  readonly onProgress: (line: string) => void;
}

/** `HF_ENDPOINT` and `HF_TOKEN` as in the Hub's own tools. */
function fromEnvironment(): HubModelOptions {
  const { HF_ENDPOINT, HF_TOKEN, XDG_CACHE_HOME = path.join(os.homedir(), ".cache") } = process.env;
  return {
    endpoint: (HF_ENDPOINT ?? "https://huggingface.co").replace(/\/$/, ""),
    token: HF_TOKEN,
    cache: path.join(XDG_CACHE_HOME, "keepsight", "models"),
    onProgress: (line) => void process.stderr.write(`\r${line}   `),
  };
}

/**
 * Replaces a `--model` of the Hub or at an address by the directory that it was downloaded to. A stopped download
 * continues.
 */
export async function withHubModel(
  argv: readonly string[],
  options = fromEnvironment(),
): Promise<readonly string[]> {
  const at = argv.findIndex((word) => word === "--model" || word.startsWith("--model="));
  const given = argv[at]?.slice("--model=".length) || argv[at + 1];
  if (at < 0 || given === undefined || fs.existsSync(given)) return argv;
  const { id = "", revision = "main" } = isSite(given)
    ? { id: given }
    : (ON_HUB.exec(given)?.groups ?? {});
  if (id === "") return argv;
  try {
    const directory = await fetchModel(id, revision, options);
    return argv[at] === "--model"
      ? argv.with(at + 1, directory)
      : argv.with(at, `--model=${directory}`);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const path = isSite(given) ? "" : `There is no model directory ${given}. `;
    throw inputError(path + error.message);
  }
}

async function fetchModel(
  id: string,
  revision: string,
  { endpoint, token, cache, onProgress }: HubModelOptions,
): Promise<string> {
  const access: HubAccess = { endpoint, token };
  const repository = await findRepository({ id, revision }, access);
  const directory = path.join(cache, keyOf(repository));
  if (fs.existsSync(directory)) return directory;
  const unfinished = `${directory}.part`;
  fs.mkdirSync(unfinished, { recursive: true });
  await downloadFiles(repository, {
    ...access,
    open: async (name) => openFile(path.join(unfinished, name)),
    onProgress: ({ loadedBytes, totalBytes }) =>
      onProgress(`${id}: ${megabytes(loadedBytes)} of ${megabytes(totalBytes)} MB`),
  });
  await confirmRepository(repository, access);
  onProgress(`${repository.id} at ${repository.commit}\n`);
  fs.renameSync(unfinished, directory);
  return directory;
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

function openFile(file: string): GrowingFile & { close(): void } {
  const descriptor = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT);
  return {
    getSize: () => fs.fstatSync(descriptor).size,
    read: (bytes, { at }) => fs.readSync(descriptor, bytes, 0, bytes.length, at),
    write: (bytes, { at }) => fs.writeSync(descriptor, bytes, 0, bytes.length, at),
    truncate: (size) => fs.ftruncateSync(descriptor, size),
    flush: () => fs.fsyncSync(descriptor),
    close: () => fs.closeSync(descriptor),
  };
}
