import { SILENCE_MS, within } from "@/net/within";
import { ModelError } from "../modelError";
import type { FetchFile } from "./filesFetch";

/** A response whose bytes arrive in time, or not at all. */
export interface LiveResponse {
  readonly response: Response;
  /** @throws ModelError if no byte arrives for 20 s */
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/**
 * Fetches, and ends the request if the answer or its next bytes do not arrive for 20 s.
 * @param file its name in the sentence
 * @throws ModelError of code `network` for a stall; what `fetch` throws otherwise
 */
export async function fetchLive(
  file: string,
  url: URL,
  init: RequestInit,
  fetchFile: FetchFile = fetch,
): Promise<LiveResponse> {
  const stall = new AbortController();
  const signal = init.signal ? AbortSignal.any([init.signal, stall.signal]) : stall.signal;
  const end = () => {
    const seconds = SILENCE_MS / 1000;
    const message = `The connection broke: no byte of ${file} arrived for ${seconds} seconds.`;
    stall.abort(new ModelError("network", message));
    return stall.signal.reason;
  };
  const response = await within(fetchFile(url, { ...init, signal }), end);
  return {
    response,
    async *chunks() {
      const reader = response.body?.getReader();
      while (reader) {
        const { done, value } = await within(reader.read(), end);
        if (done) return;
        yield value;
      }
    },
  };
}
