import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fetchLive } from "./liveFetch";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const url = new URL("https://host/models/tiny/model.safetensors");
const SENTENCE = {
  code: "network",
  message: "The connection broke: no byte of model.safetensors arrived for 20 seconds.",
};

/** A server that sends pieces after `pauses` in ms, and one that never answers if there are none. */
function server(pauses: readonly number[]): typeof fetch {
  return async (_, init) => {
    const signal = init!.signal!;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("Aborted", "AbortError")));
    });
    aborted.catch(() => undefined);
    if (pauses.length === 0) return aborted;
    const left = [...pauses];
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const pause = left.shift();
      if (pause === undefined) return controller.close();
      await Promise.race([new Promise((done) => setTimeout(done, pause)), aborted]);
      controller.enqueue(new Uint8Array(3));
    };
    return new Response(new ReadableStream({ pull }));
  };
}

async function bytesOf(pauses: readonly number[], signal?: AbortSignal): Promise<number> {
  const init = signal ? { signal } : {};
  const { chunks } = await fetchLive("model.safetensors", url, init, server(pauses));
  let bytes = 0;
  for await (const chunk of chunks()) bytes += chunk.length;
  return bytes;
}

it("lets a slow download take as long as it needs", async () => {
  const reading = bytesOf([19_000, 19_000, 19_000]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await reading).toBe(9);
});

it.each([[[]], [[1000, 21_000]]])("ends one that is silent for 20 s", async (pauses) => {
  const reading = bytesOf(pauses);
  reading.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(25_000);
  await expect(reading).rejects.toMatchObject(SENTENCE);
});

it("stops at once when it is told to", async () => {
  const stop = new AbortController();
  const reading = bytesOf([1000, 50_000], stop.signal);
  reading.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(2000);
  stop.abort();
  await expect(reading).rejects.toThrow("Aborted");
});
