import { texts } from "@/language/language";
import { mayRead } from "@/net/pagePolicy";
import { within } from "@/net/within";
import type { EngineFailure } from "@/protocol/failure";
import { formatMegabytes } from "@/text/format";

/** Largest size in bytes of an image from another site. */
export const MAX_FETCHED_BYTES = 64e6;

type FetchOutcome =
  | { readonly ok: true; readonly blob: Blob; readonly title: string }
  | { readonly ok: false; readonly failure: EngineFailure };

interface FetchOptions {
  readonly signal: AbortSignal;
  /** @param total undefined if the site does not send it */
  readonly onProgress?: (loaded: number, total: number | undefined) => void;
}

/** Parses an address that a user typed; undefined if it is invalid. */
export function parseAddress(text: string): URL | undefined {
  const trimmed = text.trim();
  if (trimmed === "" || /\s/.test(trimmed)) return undefined;
  const isWhole = /^[a-z][a-z0-9+.-]*:/i.test(trimmed) && !/^[^:/]+:\d/.test(trimmed);
  const written = isWhole ? trimmed : `https://${trimmed}`;
  if (!URL.canParse(written)) return undefined;
  const url = new URL(written);
  if (!["http:", "https:", "data:"].includes(url.protocol)) return undefined;
  const isHost = url.hostname.includes(".") || url.hostname === "localhost";
  return isHost || isWhole ? url : undefined;
}

/** Display text of an address while it is fetched. */
export function hostOf(url: URL): string {
  return url.host || texts.viewer.fetch.thisPage;
}

/**
 * Fetches one image from another site, without cookies and referrer, if the site allows it. Rejects
 * only when `signal` is aborted.
 */
export async function fetchImage(url: URL, options: FetchOptions): Promise<FetchOutcome> {
  const host = hostOf(url);
  const words = texts.viewer.fetch;
  if (url.protocol === "data:") {
    const blob = blobOf(url);
    return blob ? { ok: true, blob, title: words.image } : refuse(words.holdsNone);
  }
  if (!mayRead(url)) return refuse(words.forbidden(host));
  const silence = new AbortController();
  const end = () => {
    silence.abort();
    return silence.signal.reason;
  };
  const signal = AbortSignal.any([options.signal, silence.signal]);
  const request = fetch(url, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
  let response: Response;
  try {
    response = await within(request, end);
  } catch (error) {
    options.signal.throwIfAborted();
    if (silence.signal.aborted) return refuse(words.ended(host));
    if (!(error instanceof TypeError)) throw error;
    // The browser does not report which of the two happened.
    return refuse(words.unreachable(host));
  }
  const refusal = refusalOf(response, host);
  if (refusal) {
    void response.body?.cancel().catch(() => undefined);
    return refuse(refusal);
  }
  try {
    const blob = await readBody(response, options, end);
    return blob ? { ok: true, blob, title: titleOf(url) } : refuse(tooLarge(host));
  } catch {
    options.signal.throwIfAborted();
    return refuse(words.ended(host));
  }
}

/** The content of a `data:` address, which the policy does not let `fetch` read; undefined if damaged. */
function blobOf({ href }: URL): Blob | undefined {
  const [, type = "", base64, data = ""] = /^data:([^,;]*)[^,]*?(;base64)?,(.*)$/.exec(href) ?? [];
  try {
    const text = decodeURIComponent(data);
    const bytes = base64 ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : text;
    return new Blob([bytes], { type });
  } catch {
    return undefined;
  }
}

function refusalOf(response: Response, host: string): string | undefined {
  const { status } = response;
  const words = texts.viewer.fetch;
  if (status === 404 || status === 410) return words.notThere(host, status);
  if (!response.ok) return words.refused(host, status);
  const type = response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
  // Other types may still be images; the bytes decide.
  if (/^(text\/html|application\/(json|pdf|xhtml\+xml)|(audio|video)\/.*)$/.test(type)) {
    return words.noImage(type);
  }
  return Number(response.headers.get("content-length")) > MAX_FETCHED_BYTES
    ? tooLarge(host)
    : undefined;
}

/** Undefined if the response is too large. */
async function readBody(
  response: Response,
  { onProgress }: FetchOptions,
  end: () => unknown,
): Promise<Blob | undefined> {
  const type = response.headers.get("content-type") ?? "";
  const total = Number(response.headers.get("content-length")) || undefined;
  const reader = response.body?.getReader();
  if (!reader) return response.blob();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  for (;;) {
    const part = await within(reader.read(), end);
    if (part.done) break;
    loaded += part.value.length;
    if (loaded > MAX_FETCHED_BYTES) {
      await reader.cancel();
      return undefined;
    }
    parts.push(part.value);
    onProgress?.(loaded, total);
  }
  return new Blob(parts, { type });
}

/** The file's name in an address, or its host. */
function titleOf(url: URL): string {
  const name = url.pathname.split("/").findLast((part) => part !== "");
  try {
    return name ? decodeURIComponent(name) : url.host;
  } catch {
    return name ?? url.host;
  }
}

function tooLarge(host: string): string {
  const most = formatMegabytes(MAX_FETCHED_BYTES, 0);
  return texts.viewer.fetch.tooLarge(host, most);
}

function refuse(message: string): FetchOutcome {
  return { ok: false, failure: { code: "badImage", message, action: "chooseImage" } };
}
