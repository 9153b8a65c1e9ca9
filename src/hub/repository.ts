import { within } from "@/net/within";
import { HubError } from "./hubError";

/** Which model to fetch. */
export interface ModelAddress {
  /** `owner/name`, or `https://host/path` of a directory outside of the Hub */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** How to reach a Hub. */
export interface HubAccess {
  /** Without a slash at its end: `https://huggingface.co`, a mirror or a double. */
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** A connection that gives nothing for this time, in ms, is broken. */
  readonly silenceMs?: number | undefined;
}

export interface HubFile {
  /** Path in the repository. */
  readonly name: string;
  readonly bytes: number;
  /** Of the content, in hexadecimal; absent for small files, which Git keeps itself. */
  readonly sha256?: string;
}

/** A model's files at one commit. */
export interface Repository extends ModelAddress {
  /** 40 hexadecimal digits; what is fetched never changes under it. */
  readonly commit: string;
  readonly license?: string;
  readonly files: readonly HubFile[];
}

/** Small files of the Hub's layout, as far as any family reads them. */
export const SMALL = new Set([
  "config.json",
  "generation_config.json",
  "preprocessor_config.json",
  "processor_config.json",
  "video_preprocessor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  "familiar.bin",
  "model.safetensors.index.json",
]);
export const WEIGHTS = /^model(-\d+-of-\d+)?\.safetensors$/;
const ID = /^(?!\.+\/)[\w.-]+\/(?!\.+$)[\w.-]+$/;

/**
 * Asks the Hub for a model's commit and files, and selects those that the engine reads: JSON files,
 * chat template, safetensors.
 * @throws HubError; the signal's reason
 */
export async function fetchRepository(
  { id, revision }: ModelAddress,
  access: HubAccess,
): Promise<Repository> {
  if (!ID.test(id)) {
    throw new HubError("notFound", `A model is named owner/name on the Hub, not “${cutOff(id)}”.`);
  }
  const path = `api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await fetchFromHub(`${access.endpoint}/${path}`, access, {});
  if (!response.ok) throw refusal({ id, revision }, access, response);
  const answer = await json(response, id, access);
  const files = selectFiles(answer.siblings);
  const { sha: commit } = answer;
  if (typeof commit !== "string" || !/^[0-9a-f]{40}$/.test(commit)) {
    throw new HubError("network", `The Hub's answer about ${id} names no commit.`);
  }
  for (const needed of ["config.json", "tokenizer.json"]) {
    if (!files.some(({ name }) => name === needed)) {
      throw new HubError("incomplete", `The model ${id} has no file ${needed}.`);
    }
  }
  if (!files.some(({ name }) => WEIGHTS.test(name))) {
    throw new HubError("incomplete", `The model ${id} has no weights as model.safetensors.`);
  }
  const license = licenseOf(answer);
  return { id, revision, commit, files, ...(license ? { license } : {}) };
}

/** Whether a model's name is an address: it lies in a directory outside of the Hub. */
export function isSite(id: string): boolean {
  return /^https?:\/\//i.test(id);
}

/** Address of a file at its commit. */
export function fileAddress(
  { endpoint }: HubAccess,
  { id, commit }: Pick<Repository, "id" | "commit">,
  name: string,
): string {
  const directory = isSite(id) ? id : `${endpoint}/${id}/resolve/${commit}`;
  return `${directory}/${name.split("/").map(encodeURIComponent).join("/")}`;
}

/** A small file as text. @throws HubError */
export async function fetchText(
  repository: Repository,
  name: string,
  access: HubAccess,
): Promise<string> {
  const response = await fetchFromHub(fileAddress(access, repository, name), access, {});
  if (!response.ok) throw refusal(repository, access, response, name);
  return textOf(response, name, access);
}

async function textOf(response: Response, what: string, access: HubAccess): Promise<string> {
  const broken = (cause: unknown) =>
    new HubError("network", `The connection broke while ${what} was read.`, { cause });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of chunks(response, access, broken)) parts.push(part);
  return new Blob(parts).text();
}

/**
 * A response's bytes as they arrive.
 * @param broken the error to throw if the connection breaks or goes silent
 */
export async function* chunks(
  response: Response,
  { signal, silenceMs }: Pick<HubAccess, "signal" | "silenceMs">,
  broken: (cause: unknown) => HubError,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    while (true) {
      const { done, value } = await within(
        reader.read(),
        () => new Error("No bytes arrive."),
        silenceMs,
      );
      if (done) return;
      yield value;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw broken(cause);
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** Page on which a person accepts a model's terms. */
export function consentPage(endpoint: string, id: string): string {
  return `${endpoint}/${id}`;
}

/** Sends the token to the Hub alone. @throws HubError if no answer comes; the signal's reason */
export async function fetchFromHub(
  url: string,
  { endpoint, token, signal, fetch: fetchUrl = fetch, silenceMs }: HubAccess,
  headers: Readonly<Record<string, string>>,
  method: "GET" | "HEAD" = "GET",
): Promise<Response> {
  const isHub = url.startsWith(`${endpoint}/`);
  const authorization = token && isHub ? { Authorization: `Bearer ${token}` } : {};
  const silence = new AbortController();
  const end = () => {
    silence.abort();
    return silence.signal.reason;
  };
  const request = fetchUrl(url, {
    method,
    headers: { ...headers, ...authorization },
    signal: AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]),
  });
  try {
    return await within(request, end, silenceMs);
  } catch (cause) {
    signal?.throwIfAborted();
    const hint = isHub ? "" : ", or does not let other sites read its files (CORS)";
    throw new HubError("network", `${new URL(url).host} cannot be reached${hint}.`, { cause });
  }
}

/** One sentence for an answer that is not ok. */
export function refusal(
  { id, revision }: ModelAddress,
  { token }: HubAccess,
  response: Response,
  file?: string,
): HubError {
  const reason = response.headers.get("x-error-code");
  const { status } = response;
  if (isSite(id)) {
    const { host } = new URL(id);
    return new HubError("network", `${host} answered with HTTP ${status} for ${file}.`);
  }
  if (reason === "GatedRepo" || status === 403) {
    const need = token ? "" : ", and enter a token of your account";
    return new HubError("gated", `Accept the terms of ${id} on its page${need}.`);
  }
  if (reason === "RevisionNotFound") {
    return new HubError("notFound", `The model ${id} has no revision “${cutOff(revision)}”.`);
  }
  if (status === 404 && file !== undefined) {
    return new HubError("incomplete", `The model ${id} has no file ${file}.`);
  }
  if (status === 401 || status === 404) {
    const hint = token ? "" : " If it is private, enter a token.";
    return new HubError("notFound", `The Hub has no model ${id}.${hint}`);
  }
  return new HubError("network", `The Hub answered with HTTP ${status} for ${id}.`);
}

type Json = { readonly [key: string]: unknown };

async function json(response: Response, id: string, access: HubAccess): Promise<Json> {
  const text = await textOf(response, `the Hub's answer about ${id}`, access);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Json;
  } catch (cause) {
    throw new HubError("network", `The Hub's answer about ${id} cannot be read.`, { cause });
  }
  throw new HubError("network", `The Hub's answer about ${id} cannot be read.`);
}

function selectFiles(siblings: unknown): HubFile[] {
  if (!Array.isArray(siblings)) return [];
  return siblings.flatMap((entry: Json | null): HubFile[] => {
    const name = entry?.rfilename;
    if (typeof name !== "string" || !(SMALL.has(name) || WEIGHTS.test(name))) return [];
    const lfs = entry?.lfs as Json | undefined;
    const bytes = lfs?.size ?? entry?.size;
    if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0) return [];
    return [{ name, bytes, ...(typeof lfs?.sha256 === "string" ? { sha256: lfs.sha256 } : {}) }];
  });
}

function licenseOf({ cardData, tags }: Json): string | undefined {
  const named = (cardData as Json | null | undefined)?.license;
  if (typeof named === "string") return named;
  const listed: readonly unknown[] = Array.isArray(tags) ? tags : [];
  const isLicense = (tag: unknown) => typeof tag === "string" && tag.startsWith("license:");
  return (listed.find(isLicense) as string | undefined)?.slice("license:".length);
}

function cutOff(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
