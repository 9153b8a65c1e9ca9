import { ModelError } from "../modelError";
import type { FetchFile } from "./filesFetch";

/** A download without bytes for this long, in ms, is a broken connection. */
const STALL_MS = 20_000;

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
  const inTime = async <T>(arriving: Promise<T>): Promise<T> => {
    const seconds = STALL_MS / 1000;
    const message = `The connection broke: no byte of ${file} arrived for ${seconds} seconds.`;
    const timer = setTimeout(() => stall.abort(new ModelError("network", message)), STALL_MS);
    try {
      return await arriving;
    } catch (error) {
      throw stall.signal.aborted ? stall.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  };
  const response = await inTime(fetchFile(url, { ...init, signal }));
  return {
    response,
    async *chunks() {
      const reader = response.body?.getReader();
      while (reader) {
        const { done, value } = await inTime(reader.read());
        if (done) return;
        yield value;
      }
    },
  };
}
