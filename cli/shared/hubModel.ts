import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { downloadFile, type GrowingFile } from "@/hub/download";
import { HubError } from "@/hub/hubError";
import { keyOf } from "@/hub/keptModels";
import { fetchRepository, type HubAccess, type Repository } from "@/hub/repository";
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
 * Replaces a `--model` of the Hub by the directory that it was downloaded to. A stopped download
 * continues.
 */
export async function withHubModel(
  argv: readonly string[],
  options = fromEnvironment(),
): Promise<readonly string[]> {
  const at = argv.findIndex((word) => word === "--model" || word.startsWith("--model="));
  const given = argv[at]?.slice("--model=".length) || argv[at + 1];
  const named = at < 0 || given === undefined || fs.existsSync(given) ? null : ON_HUB.exec(given);
  if (!named?.groups) return argv;
  const { id = "", revision = "main" } = named.groups;
  try {
    const directory = await fetchModel(id, revision, options);
    return argv[at] === "--model"
      ? argv.with(at + 1, directory)
      : argv.with(at, `--model=${directory}`);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw inputError(`There is no model directory ${given}. ${error.message}`);
  }
}

async function fetchModel(
  id: string,
  revision: string,
  { endpoint, token, cache, onProgress }: HubModelOptions,
): Promise<string> {
  const access: HubAccess = { endpoint, token };
  const repository = await fetchRepository({ id, revision }, access);
  const directory = path.join(cache, keyOf(repository));
  if (fs.existsSync(directory)) return directory;
  const unfinished = `${directory}.part`;
  fs.mkdirSync(unfinished, { recursive: true });
  await downloadAll(repository, unfinished, access, onProgress);
  fs.renameSync(unfinished, directory);
  return directory;
}

async function downloadAll(
  repository: Repository,
  folder: string,
  access: HubAccess,
  onProgress: (line: string) => void,
): Promise<void> {
  for (const file of repository.files) {
    const target = openFile(path.join(folder, file.name));
    const total = (file.bytes / 1e6).toFixed(1);
    try {
      await downloadFile(repository, file, target, {
        ...access,
        onBytes: (bytes) => onProgress(`${file.name}: ${(bytes / 1e6).toFixed(1)} of ${total} MB`),
      });
    } finally {
      target.close();
    }
  }
  onProgress(`${repository.id} at ${repository.commit}\n`);
}

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
