import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { mayRead } from "@/net/pagePolicy";
import { HubError } from "./hubError";
import {
  fetchFromHub,
  fetchRepository,
  fetchText,
  fileAddress,
  type HubAccess,
  type HubFile,
  isSite,
  type ModelAddress,
  type Repository,
  refusal,
  SMALL,
  WEIGHTS,
} from "./repository";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
/** Of an address; the folder that keeps the model is named by it. */
const MAX_LENGTH = 160;

/**
 * Files and version of a model: of the Hub (`owner/name`, or the address of its page), or of a directory on
 * any other host (`https://host/path`).
 * @throws HubError; the signal's reason
 */
export async function findRepository(
  address: ModelAddress,
  access: HubAccess,
): Promise<Repository> {
  const { id, revision } = named(address, access.endpoint);
  return isSite(id)
    ? fetchSite({ id, revision }, access)
    : fetchRepository({ id, revision }, access);
}

/**
 * After a download: a directory outside of the Hub may have changed meanwhile, and its files be of two versions.
 * @throws HubError
 */
export async function confirmRepository(repository: Repository, access: HubAccess): Promise<void> {
  const { id, commit: revision } = repository;
  if (isSite(id)) await fetchSite({ id, revision }, access);
}

/** The one spelling of a model's name, under which it is stored. */
export function named({ id, revision }: ModelAddress, endpoint: string): ModelAddress {
  if (!isSite(id) || !URL.canParse(id)) return { id, revision };
  const { origin, pathname } = new URL(id);
  const directory = origin + pathname.replace(/\/(config\.json)?$/, "");
  if (!directory.startsWith(`${endpoint}/`)) return { id: directory, revision };
  const [owner = "", name = "", , ...rest] = directory.slice(endpoint.length + 1).split("/");
  return { id: `${owner}/${name}`, revision: decoded(rest.join("/")) || revision };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a percent sign that encodes nothing
  }
}

/** The repository of a directory. A digest of its files' sizes and dates stands for the commit. */
async function fetchSite(address: ModelAddress, access: HubAccess): Promise<Repository> {
  const { id, revision } = address;
  checkAddress(id);
  const names = [...SMALL, SINGLE];
  const found = await Promise.all(names.map((name) => probe(address, name, access)));
  let files = found.filter((file) => file !== undefined);
  for (const needed of ["config.json", "tokenizer.json"]) {
    if (!files.some(({ name }) => name === needed)) throw missing(id, needed);
  }
  if (files.some(({ name }) => name === SINGLE)) {
    files = files.filter(({ name }) => name !== INDEX);
  } else if (files.some(({ name }) => name === INDEX)) {
    files = [...files, ...(await shards(address, access))];
  } else throw missing(id, SINGLE);
  const commit = bytesToHex(sha256(utf8ToBytes(JSON.stringify([id, files])))).slice(0, 40);
  if (/^[0-9a-f]{40}$/.test(revision) && revision !== commit) {
    throw new HubError("damaged", `The files at ${id} have changed. Look the model up again.`);
  }
  return { id, revision, commit, files: files.map(({ name, bytes }) => ({ name, bytes })) };
}

function checkAddress(id: string): void {
  if (!URL.canParse(id) || id.length > MAX_LENGTH) {
    throw new HubError("notFound", `An address of a model has at most ${MAX_LENGTH} characters.`);
  }
  const url = new URL(id);
  const isLocal = ["localhost", "127.0.0.1"].includes(url.hostname);
  if (url.protocol !== "https:" && !isLocal) {
    throw new HubError("notFound", `An address of a model begins with https://, unlike ${id}.`);
  }
  if (!mayRead(url)) {
    const message = `The security policy of this page does not allow it to read from ${url.host}.`;
    throw new HubError("forbidden", message);
  }
}

interface DatedFile extends HubFile {
  readonly date: string | null;
}

/** A file's size and date; undefined if the host has none, or sends a page instead. */
async function probe(
  address: ModelAddress,
  name: string,
  access: HubAccess,
): Promise<DatedFile | undefined> {
  // With a range, browsers ask for the file as it is, not compressed: its length is that of the file.
  const response = await fetchFromHub(
    fileAddress(access, { ...address, commit: "" }, name),
    ...([access, { Range: "bytes=0-" }, "HEAD"] as const),
  );
  const { status, headers } = response;
  if ([403, 404, 410].includes(status)) return undefined;
  if (!response.ok) throw refusal(address, access, response, name);
  if (headers.get("content-type")?.startsWith("text/html")) return undefined;
  const bytes = Number.parseInt(headers.get("content-length") ?? "", 10);
  if (!Number.isSafeInteger(bytes)) {
    const { host } = new URL(address.id);
    throw new HubError("network", `${host} does not tell the size of ${name}.`);
  }
  return { name, bytes, date: headers.get("last-modified") ?? headers.get("etag") };
}

async function shards(address: ModelAddress, access: HubAccess): Promise<readonly DatedFile[]> {
  const { id } = address;
  const text = await fetchText({ ...address, commit: "", files: [] }, INDEX, access);
  const names = shardNames(text);
  if (!names) throw new HubError("incomplete", `${INDEX} at ${id} names no weights.`);
  return Promise.all(
    names.map(async (name) => {
      const file = await probe(address, name, access);
      if (!file) throw missing(id, name);
      return file;
    }),
  );
}

function shardNames(index: string): readonly string[] | undefined {
  try {
    const { weight_map } = JSON.parse(index) as { readonly weight_map?: object };
    const names = [...new Set(Object.values(weight_map ?? {}) as unknown[])];
    const isWeights = (name: unknown): name is string =>
      typeof name === "string" && WEIGHTS.test(name);
    return names.length > 0 && names.every(isWeights) ? names : undefined;
  } catch {
    return undefined;
  }
}

function missing(id: string, name: string): HubError {
  return new HubError("incomplete", `The directory ${id} has no file ${name}.`);
}
